import { silentObserver } from "../../core/observer.ts";
import type { Delivery, DeliveryStats, HttpRequest, HttpResult, Ingested, IngestResult, InvokeResult } from "../../delivery/delivery.ts";
import type { PoolStats } from "../../pool/pool.ts";
import type { FunctionManifest, Release } from "../../protocol/manifest.ts";
import type { DeadView, EventView, LogLine, Store, StoredLogLine, StoreHealth } from "../../store/store.ts";
import { Logs, Metrics } from "../../telemetry/index.ts";
import type { ControlRooms, NodeFacts } from "../node-facts.ts";
import { ScriptedRuns } from "./scripted-runs.ts";

/** Rooms that say what a test wrote into them, and remember what they were asked. */
export class ScriptedRooms implements ControlRooms {
  ready = true;
  current: Release | null = release([fn("hello", "http"), fn("greet", "event")]);
  reloadFails: Error | undefined;
  ingestResult: IngestResult | undefined;
  invokeResult: InvokeResult = { kind: "done", invocation: "inv1", delivery: 12, ranMs: 3.5 };
  httpResult: HttpResult | undefined;
  health: StoreHealth = { state: "ok" };
  eventViews: EventView[] = [];
  deadViews: DeadView[] = [];
  lines: StoredLogLine[] = [];
  readonly ingested: Ingested[] = [];
  readonly requests: HttpRequest[] = [];
  readonly invoked: { fn: string; data: unknown }[] = [];
  readonly pieces: number[][] = [];
  readonly refusals: string[] = [];

  readonly runs = new ScriptedRuns();
  readonly metrics = new Metrics("1.2.3");
  readonly observer = { ...silentObserver, refused: (_door: string, code: string) => void this.refusals.push(code) };
  readonly pool = {
    stats: (): PoolStats => ({
      instances: 1,
      spares: 2,
      running: 0,
      waiting: 0,
      coldStarts: 1,
      functions: [
        {
          fn: "hello",
          instances: 1,
          running: 0,
          waiting: 0,
          coldStarts: { count: 3, phases: { waitMs: 0.1, loadMs: 1.5, firstCallMs: 0.5 } },
          startFailure: {
            error: { name: "TypeError", message: "no good", stack: null },
            failures: 2,
            retryAtMs: 1_700_000_000_200,
          },
        },
      ],
    }),
  };

  readonly node: NodeFacts = {
    version: "1.2.3",
    startedMs: 1000,
    dataDirectory: "/data",
    gateway: () => "http://127.0.0.1:4800",
    release: () => this.current,
    ready: () => this.ready,
    reload: async () => {
      if (this.reloadFails !== undefined) throw this.reloadFails;
      this.current ??= release([]);
      return this.current;
    },
  };

  readonly delivery: Delivery = {
    use: async () => {},
    ingest: async (events) => {
      this.ingested.push(...events);
      return this.ingestResult ?? { kind: "accepted", events: events.map((_, i) => ({ seq: i + 1, duplicate: false })) };
    },
    http: async (request) => {
      this.requests.push(request);
      return this.httpResult ?? answered("hello", "text/plain");
    },
    invoke: async (fn, data) => {
      this.invoked.push({ fn, data });
      return this.invokeResult;
    },
    redrive: async (selection) => this.take(selection),
    purge: async (selection) => this.take(selection),
    stats: (): DeliveryStats => ({
      waiting: 3,
      parked: 4,
      running: 1,
      dead: this.deadViews.length,
      functions: [
        { fn: "greet", exists: true, waiting: 2, parked: 0, running: 1, dead: this.deadViews.length },
        { fn: "gone", exists: false, waiting: 1, parked: 0, running: 0, dead: 0 },
      ],
    }),
    settled: async () => {},
  };

  readonly store: Store = {
    events: async ({ id, type, before, after, limit }) => {
      const fits = (event: EventView): boolean =>
        (id === undefined || event.id === id) &&
        (type === undefined || event.type === type) &&
        (before === undefined || event.seq < before) &&
        (after === undefined || event.seq > after);
      const found = this.eventViews.filter(fits).sort((a, b) => (after === undefined ? b.seq - a.seq : a.seq - b.seq));
      return found.slice(0, limit);
    },
    dead: async ({ fn, type, after = -1, limit }) =>
      this.deadViews
        .filter((dead) => dead.seq > after && (fn === undefined || dead.fn === fn) && (type === undefined || dead.eventType === type))
        .slice(0, limit),
    delivery: async (seq) => this.deadViews.find((dead) => dead.seq === seq) ?? null,
    counts: async () => [
      { fn: "greet", ready: 1, blocked: 1, parked: 0, dead: this.deadViews.length, held: 0 },
      { fn: "gone", ready: 1, blocked: 0, parked: 0, dead: 0, held: 0 },
    ],
    log: (lines: readonly LogLine[]) => {
      for (const line of lines) this.lines.push({ seq: this.lines.length + 1, ...line });
    },
    logs: async ({ fn, level, after, limit }) => {
      const fits = this.lines.filter((line) => (fn === undefined || line.fn === fn) && (level === undefined || line.level === level));
      return after === undefined ? fits.slice(-limit) : fits.filter(({ seq }) => seq > after).slice(0, limit);
    },
    health: () => this.health,
    run: async (wanted) => this.runs.views.find(({ id, seq }) => wanted === id || wanted === seq) ?? null,
    acquire: notAsked,
    commit: notAsked,
    ready: notAsked,
    dueTimers: notAsked,
    timers: notAsked,
    kvGet: notAsked,
    kvList: notAsked,
    answer: notAsked,
    ownedRun: notAsked,
    journal: notAsked,
    eventsOfType: notAsked,
    runs: notAsked,
    runReleases: notAsked,
    waitTopics: notAsked,
    redrive: notAsked,
    purge: notAsked,
    retain: notAsked,
    close: async () => {},
  };

  readonly logs = new Logs(this.store);

  constructor() {
    this.metrics.watch({ delivery: () => this.delivery.stats(), pool: () => this.pool.stats(), health: () => this.health });
  }

  private async take(selection: Parameters<Delivery["redrive"]>[0]): Promise<number> {
    const seqs = "seqs" in selection ? selection.seqs : [];
    this.pieces.push([...seqs]);
    const before = this.deadViews.length;
    this.deadViews = this.deadViews.filter(({ seq }) => !seqs.includes(seq));
    return before - this.deadViews.length;
  }
}

function notAsked(): never {
  throw new Error("the control door has no business with this");
}

export function fn(name: string, kind: "http" | "event", path = `/${name}`): FunctionManifest {
  return {
    name,
    exportName: name,
    file: `functions/${name}.ts`,
    entry: `${name}.js`,
    triggers: [
      kind === "http"
        ? { kind: "http", method: "POST", path }
        : { kind: "event", type: "greeting.*", where: { data: { to: ["x"] } }, sql: null },
    ],
    key: { kind: "path", path: ["data", "to"] },
    onDead: "continue",
    retry: { attempts: 5, backoff: "exponential", baseMs: 1000, factor: 2, maxMs: 3_600_000, jitter: "full" },
    timeoutMs: 30_000,
    memoryBytes: 134_217_728,
    concurrency: { instance: 16, function: null, key: 1 },
    instances: { min: 0, max: null, idleMs: 60_000 },
    allow: [],
    network: true,
  };
}

export function flow(name: string, kind: "http" | "event" = "event"): FunctionManifest {
  return { ...fn(name, kind), flow: { onExhausted: "throw", deadlineMs: null, cancelOn: [], runsPerKey: null } };
}

export function release(functions: readonly FunctionManifest[]): Release {
  return { id: "abc123", directory: "/release", appDirectory: "/app", manifest: { functions, events: [] }, env: {} };
}

export function answered(text: string, contentType: string, status = 200): HttpResult {
  return {
    kind: "answered",
    invocation: "inv2",
    head: { status, statusText: "", headers: ["content-type", contentType] },
    body: Buffer.from(text),
    discard: () => {},
    replayed: false,
  };
}

export function eventView(seq: number, type = "greeting.sent"): EventView {
  const id = `e${seq}`;
  return {
    seq,
    id,
    source: "/test",
    type,
    json: JSON.stringify({ specversion: "1.0", id, source: "/test", type, data: { to: "x" } }),
    origin: "outside",
    hops: 0,
    cause: null,
    receivedMs: 5000 + seq,
    deliveries: [{ seq: seq + 1, event: seq, fn: "greet", key: "x", state: "done", attempt: 0, dueMs: 5000, settledMs: 5010, errors: [] }],
  };
}

export function deadView(seq: number): DeadView {
  return {
    seq,
    event: seq - 1,
    fn: "greet",
    key: null,
    state: "dead",
    attempt: 5,
    dueMs: 5000,
    settledMs: 6000,
    errors: [
      {
        attempt: 5,
        invocation: "i",
        startedMs: 5990,
        endedMs: 6000,
        name: "Error",
        message: "no luck",
        stack: "Error: no luck\n    at greet (functions/greet.ts:3:9)",
      },
    ],
    eventType: "greeting.sent",
    eventJson: JSON.stringify({ specversion: "1.0", id: `e${seq}`, source: "/test", type: "greeting.sent", data: {} }),
  };
}
