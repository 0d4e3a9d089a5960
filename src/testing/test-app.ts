import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Duration, MillraceError, newId, parseDurationMs, VirtualClock } from "../core/index.ts";
import type { Ingested, InvokeResult } from "../delivery/index.ts";
import { canonicalJson, faultText, isReservedType, parseCloudEvent } from "../events/index.ts";
import type { CloudEvent } from "../sdk/cloud-event.ts";
import { createNode, type MillraceNode, resolveSettings } from "../server/index.ts";
import { RunScript, type StepMocks } from "./run-script.ts";
import { RunningTestRun, type TestRun, textOf } from "./test-run.ts";
import type { DeadView, DeliveryView, EventView, StoredLogLine } from "../store/store.ts";

/** What `testApp` starts: the app as a node would run it, with a clock that moves only by `advance`. */
export interface TestApp extends AsyncDisposable {
  /** The gateway's address, for tests that want to speak HTTP themselves. */
  readonly url: string;
  now(): Date;

  /** An event from outside, as through `POST /_/events`; resolves when it is durable. */
  emit(type: string, data?: unknown, options?: TestEmit): Promise<{ id: string; duplicate: boolean }>;
  /** An HTTP call through the gateway: `request("/orders", { method: "POST", body })`. */
  request(path: string, init?: RequestInit): Promise<Response>;
  /** Wakes one function alone and waits for its first attempt. */
  invoke(fn: string, data?: unknown): Promise<InvokeResult>;

  /** Resolves when nothing runs and nothing is due at the present time. */
  settled(): Promise<void>;
  /** Moves the clock, firing retries, schedules and delayed events in their order, each to its end. */
  advance(by: Duration): Promise<void>;

  /** Begins a run of a flow; with an id that was used before, it is that run. */
  start(flow: string, input?: unknown, options?: { readonly id?: string }): Promise<TestRun>;
  run(id: string): TestRun;
  /** A new run with the earlier one's results copied; this command (`pack`, `pack#2`) is the first that is done anew. */
  fork(id: string, from: string): Promise<TestRun>;
  /** All runs so far, oldest first. */
  runs(flow?: string): Promise<readonly TestRun[]>;
  /** Completes a callback by its address, as a POST to it does. */
  complete(callbackUrl: string, value?: unknown): Promise<void>;
  fail(callbackUrl: string, message: string): Promise<void>;
  /** The instance that runs this step is killed right after the step's commit, once. */
  crashAfter(flow: string, step: string): void;

  /** All events so far, oldest first; `type` may hold `*`. */
  emitted(type?: string): Promise<readonly CloudEvent[]>;
  /** All deliveries so far, oldest first. */
  deliveries(fn?: string): Promise<readonly DeliveryView[]>;
  dead(fn?: string): Promise<readonly DeadView[]>;
  logs(fn?: string): Promise<readonly StoredLogLine[]>;
  readonly kv: TestKv;

  stop(): Promise<void>;
}

export interface TestEmit {
  readonly key?: string;
  readonly id?: string;
  readonly source?: string;
  readonly subject?: string;
  readonly after?: Duration;
  readonly at?: Date;
}

/** The app's kv store from outside: to prepare a test and to look at its result. */
export interface TestKv {
  get<T = unknown>(key: string): Promise<T | undefined>;
  set(key: string, value: unknown): Promise<void>;
  list(options?: { prefix?: string; after?: string; limit?: number }): Promise<readonly { key: string; value: unknown }[]>;
}

export interface TestOptions {
  /** Where the virtual clock begins. Default: 2026-01-01T00:00:00Z. */
  readonly now?: Date;
  /** Makes back-off with jitter repeatable: a number from 0 up to 1 at each call. Default: 0.5, always. */
  readonly random?: () => number;
  /** What plays the part of steps, by flow and step: `{ checkout: { charge: () => ({ paid: true }) } }`. */
  readonly steps?: StepMocks;
  /** Gets what the functions log, as it comes. Default: nobody; `logs()` has it all. */
  readonly onLog?: (line: { fn: string; level: string; text: string }) => void;
}

/**
 * Starts an app as a node would: its functions in sandboxes, a store in a temporary directory, the gateway on a free port. Only the
 * clock is the test's.
 *
 * @example
 * await using app = await testApp("examples/shop");
 * await app.emit("order.placed", { id: "o-1", sku: "lamp", qty: 1 });
 * await app.settled();
 */
export async function testApp(directory: string | URL, options: TestOptions = {}): Promise<TestApp> {
  const appDirectory = directory instanceof URL ? fileURLToPath(directory) : directory;
  const data = await mkdtemp(join(tmpdir(), "millrace-test-"));
  const clock = new VirtualClock(options.now?.getTime());
  const script = new RunScript(options.steps ?? {});
  let node: MillraceNode | undefined;
  try {
    node = await createNode({
      appDirectory,
      settings: resolveSettings({ port: "0", controlPort: "0", data }, {}),
      clock,
      random: options.random ?? (() => 0.5),
      durability: "off",
      runHooks: script,
      ...(options.onLog === undefined ? {} : { onLog: options.onLog }),
    });
    await node.start();
    await node.reload();
    return new RunningTestApp(node, clock, data, script);
  } catch (error) {
    await node?.stop();
    await rm(data, { recursive: true, force: true });
    throw error;
  }
}

const PAGE = 500;

class RunningTestApp implements TestApp {
  readonly kv: TestKv;
  private readonly node: MillraceNode;
  private readonly clock: VirtualClock;
  private readonly data: string;
  private readonly script: RunScript;

  constructor(node: MillraceNode, clock: VirtualClock, data: string, script: RunScript) {
    this.node = node;
    this.script = script;
    this.clock = clock;
    this.data = data;
    this.kv = new StoreKv(node, clock);
  }

  get url(): string {
    return this.node.addresses.gateway;
  }

  now(): Date {
    return new Date(this.clock.now());
  }

  async emit(type: string, data?: unknown, options: TestEmit = {}): Promise<{ id: string; duplicate: boolean }> {
    const { event, json } = this.eventOf(type, data, options);
    const atMs = options.at?.getTime() ?? (options.after === undefined ? undefined : this.clock.now() + parseDurationMs(options.after));
    const result = await this.node.delivery.ingest([{ event, json, ...(atMs === undefined ? {} : { atMs }) }]);
    if (result.kind === "refused") throw result.error;
    return { id: event.id, duplicate: result.events[0]?.duplicate ?? false };
  }

  request(path: string, init?: RequestInit): Promise<Response> {
    return fetch(new URL(path, this.url), { redirect: "manual", ...init });
  }

  invoke(fn: string, data?: unknown): Promise<InvokeResult> {
    return this.node.delivery.invoke(fn, data);
  }

  settled(): Promise<void> {
    return this.node.delivery.settled();
  }

  async advance(by: Duration): Promise<void> {
    await this.clock.advanceTo(this.clock.now() + parseDurationMs(by), () => this.settled());
  }

  async start(flow: string, input?: unknown, options: { readonly id?: string } = {}): Promise<TestRun> {
    const { id } = await this.node.runs.begin({ flow, input: textOf(input), id: options.id ?? null });
    return this.run(id);
  }

  run(id: string): TestRun {
    return new RunningTestRun(id, this.node.runs, () => this.settled());
  }

  async fork(id: string, from: string): Promise<TestRun> {
    return this.run((await this.node.runs.fork(id, { from, release: "live" })).id);
  }

  async runs(flow?: string): Promise<readonly TestRun[]> {
    const views = await pages((after) => this.node.store.runs({ ...(flow === undefined ? {} : { fn: flow }), after, limit: PAGE }));
    return views.map(({ id }) => this.run(id));
  }

  complete(callbackUrl: string, value: unknown = null): Promise<void> {
    return this.post(callbackUrl, value);
  }

  fail(callbackUrl: string, message: string): Promise<void> {
    return this.post(`${callbackUrl}/fail`, { message });
  }

  crashAfter(flow: string, step: string): void {
    this.script.crashAfter(flow, step);
  }

  private async post(url: string, value: unknown): Promise<void> {
    const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(value) });
    const told = (await response.json()) as { error?: { message: string } };
    if (!response.ok) throw new MillraceError("run_state", `the callback was not taken (${response.status}): ${told.error?.message ?? ""}`);
  }

  async emitted(type = "*"): Promise<readonly CloudEvent[]> {
    const wanted = wildcard(type);
    const events = await this.events();
    return events.filter((event) => wanted.test(event.type)).map(({ json }) => JSON.parse(json) as CloudEvent);
  }

  async deliveries(fn?: string): Promise<readonly DeliveryView[]> {
    const events = await this.events();
    return events.flatMap(({ deliveries }) => deliveries).filter((delivery) => fn === undefined || delivery.fn === fn);
  }

  async dead(fn?: string): Promise<readonly DeadView[]> {
    return pages((after) => this.node.store.dead({ ...(fn === undefined ? {} : { fn }), after, limit: PAGE }));
  }

  async logs(fn?: string): Promise<readonly StoredLogLine[]> {
    this.node.logs.flush();
    // Lines are written with the next commit, else some time later: a test asks for all that was said until now.
    const nowMs = this.clock.now();
    await this.node.store.commit({ id: newId(nowMs), nowMs });
    return pages((after) => this.node.store.logs({ ...(fn === undefined ? {} : { fn }), after, limit: PAGE }));
  }

  async stop(): Promise<void> {
    await this.node.stop();
    await rm(this.data, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  private events(): Promise<readonly EventView[]> {
    return pages((after) => this.node.store.events({ after, limit: PAGE }));
  }

  private eventOf(type: string, data: unknown, { key, id, source, subject }: TestEmit): Pick<Ingested, "event" | "json"> {
    if (isReservedType(type)) throw new MillraceError("reserved_type", `"${type}" cannot be emitted: millrace.* is the platform's own`);
    const parsed = parseCloudEvent({
      specversion: "1.0",
      id: id ?? newId(this.clock.now()),
      source: source ?? "/test",
      type,
      subject,
      time: new Date(this.clock.now()).toISOString(),
      partitionkey: key,
      data: asSent(data),
    });
    if (!parsed.ok) throw new MillraceError("bad_event", parsed.faults.map(faultText).join("; "));
    const json = canonicalJson(parsed.event);
    if (json === undefined) throw new MillraceError("bad_event", "data is nested too deeply");
    return { event: parsed.event, json };
  }
}

class StoreKv implements TestKv {
  private readonly node: MillraceNode;
  private readonly clock: VirtualClock;

  constructor(node: MillraceNode, clock: VirtualClock) {
    this.node = node;
    this.clock = clock;
  }

  async get<T = unknown>(key: string): Promise<T | undefined> {
    const [entry] = await this.node.store.kvGet([key], this.clock.now());
    return entry === null || entry === undefined ? undefined : (plain(entry.value) as T);
  }

  async set(key: string, value: unknown): Promise<void> {
    const nowMs = this.clock.now();
    const stored =
      value instanceof Uint8Array ? ({ kind: "bytes", bytes: value } as const) : ({ kind: "json", json: JSON.stringify(value) } as const);
    await this.node.store.commit({ id: newId(nowMs), nowMs, kv: [{ op: "set", key, value: stored, expiresMs: null }] });
  }

  async list(options: { prefix?: string; after?: string; limit?: number } = {}): Promise<readonly { key: string; value: unknown }[]> {
    const query = { prefix: options.prefix ?? "", after: options.after ?? null, limit: options.limit ?? 1000 };
    const { entries } = await this.node.store.kvList(query, this.clock.now());
    return entries.map(({ key, value }) => ({ key, value: plain(value) }));
  }
}

/** As over HTTP: what JSON does not carry does not arrive. */
function asSent(data: unknown): unknown {
  const text = JSON.stringify(data) as string | undefined;
  return text === undefined ? undefined : (JSON.parse(text) as unknown);
}

function plain(value: { kind: "json"; json: string } | { kind: "bytes"; bytes: Uint8Array }): unknown {
  return value.kind === "json" ? JSON.parse(value.json) : value.bytes;
}

async function pages<Row extends { readonly seq: number }>(read: (after: number) => Promise<readonly Row[]>): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (;;) {
    const page = await read(rows.at(-1)?.seq ?? 0);
    rows.push(...page);
    if (page.length < PAGE) return rows;
  }
}

function wildcard(type: string): RegExp {
  const parts = type.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join(".*")}$`, "s");
}
