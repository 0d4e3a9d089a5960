import { type Frame, FRAME, FrameReader, FrameWriter, type FunctionManifest, SPOKEN_VERSIONS, type Release } from "../../protocol/index.ts";
import type { EventCall, HttpCall, RunCall } from "../pool.ts";
import type { Exit, InstanceClass, InstanceProcess, SpawnInstance } from "../spawn.ts";

/** For tests: a peer that speaks the frames in this process and does what its script says. */
export class ScriptedInstance implements InstanceProcess {
  readonly pid = 0;
  readonly instanceClass: InstanceClass;
  readonly directory: string;
  readonly received: Frame[] = [];
  killed = false;
  private readonly script: Script;
  private readonly writer: FrameWriter;
  private readonly reader: FrameReader;
  private onBytes: (bytes: Buffer) => void = () => {};
  private onExit: (exit: Exit) => void = () => {};
  private gone = false;

  constructor(instanceClass: InstanceClass, directory: string, script: Script) {
    this.instanceClass = instanceClass;
    this.directory = directory;
    this.script = script;
    this.writer = new FrameWriter((bytes) => setImmediate(() => this.gone || this.onBytes(bytes)));
    this.reader = new FrameReader((frame) => this.onFrame(frame));
    if (script.ready !== false) this.ready();
  }

  readonly write = (bytes: Buffer): void => {
    setImmediate(() => {
      if (!this.gone) this.reader.push(bytes);
    });
  };

  readonly kill = (): void => {
    this.killed = true;
    this.exit({ code: null, signal: "SIGKILL", output: "" });
  };

  readonly listen = (onBytes: (bytes: Buffer) => void, onExit: (exit: Exit) => void): void => {
    this.onBytes = onBytes;
    this.onExit = onExit;
  };

  ready(): void {
    this.writer.send(FRAME.ready, 0, { protocols: SPOKEN_VERSIONS, pid: 0, runtime: "scripted" }, null);
  }

  send(type: Frame["type"], call: number, head: object | null = null, body: Uint8Array | string | null = null, flags = 0): void {
    if (!this.gone) this.writer.send(type, call, head, body, flags);
  }

  sendRaw(bytes: Buffer): void {
    setImmediate(() => this.gone || this.onBytes(bytes));
  }

  exit(exit: Exit): void {
    if (this.gone) return;
    this.gone = true;
    setImmediate(() => this.onExit(exit));
  }

  calls(): Frame[] {
    return this.received.filter(({ type }) => type === FRAME.event || type === FRAME.http || type === FRAME.run);
  }

  has(type: Frame["type"]): Frame | undefined {
    return this.received.find((frame) => frame.type === type);
  }

  private onFrame(frame: Frame): void {
    if (this.script.forget !== true) this.received.push(frame);
    const { onLoad, onFrame } = this.script;
    if (frame.type === FRAME.load) {
      if (onLoad === undefined) this.send(FRAME.loaded, 0);
      else onLoad(this);
    } else if (frame.type === FRAME.stop) this.exit({ code: 0, signal: null, output: "" });
    else onFrame?.(this, frame);
  }
}

export interface Script {
  /** False: the test says when it is ready. */
  readonly ready?: boolean;
  /** Instead of answering `loaded`. */
  readonly onLoad?: (instance: ScriptedInstance) => void;
  readonly onFrame?: (instance: ScriptedInstance, frame: Frame) => void;
  /** Keeps no list of what it received: for measurements. */
  readonly forget?: boolean;
}

export const SILENT: Script = {
  onFrame: (instance, { type, call }) => {
    if (type === FRAME.abort) instance.send(FRAME.aborted, call);
  },
};

export const ANSWERS: Script = {
  onFrame: (instance, { type, call }) => {
    if (type === FRAME.event) instance.send(FRAME.result, call);
    else if (type === FRAME.http) instance.send(FRAME.result, call, { status: 200, headers: [] }, "hello");
    else if (type === FRAME.abort) instance.send(FRAME.aborted, call);
  },
};

export function scriptedSpawner(script: Script, made: ScriptedInstance[] = []): SpawnInstance {
  return (instanceClass, directory) => {
    const instance = new ScriptedInstance(instanceClass, directory, script);
    made.push(instance);
    return instance;
  };
}

export function functionManifest(name: string, over: Partial<FunctionManifest> = {}): FunctionManifest {
  return {
    name,
    exportName: name,
    file: `functions/${name}.ts`,
    entry: "app.mjs",
    triggers: [],
    key: { kind: "none" },
    onDead: "continue",
    retry: { attempts: 1, backoff: "fixed", baseMs: 0, factor: 1, maxMs: 0, jitter: "none" },
    timeoutMs: 5000,
    memoryBytes: 128 * 2 ** 20,
    concurrency: { instance: 16, function: null, key: 1 },
    instances: { min: 0, max: null, idleMs: 60_000 },
    allow: [],
    network: true,
    ...over,
  };
}

export function releaseOf(directory: string, functions: readonly FunctionManifest[], id = "r1"): Release {
  return { id, directory, appDirectory: directory, manifest: { functions, events: [] }, env: { GREETING: "hello" } };
}

const NO_KV = {
  get: (keys: readonly string[]): Promise<null[]> => Promise.resolve(keys.map(() => null)),
  list: (): Promise<never[]> => Promise.resolve([]),
};

export function eventCall(fn: string, over: Partial<EventCall> = {}): EventCall {
  return {
    kind: "event",
    id: "c",
    fn,
    attempt: 1,
    timeoutMs: 5000,
    alone: false,
    kv: NO_KV,
    log: () => {},
    eventJson: "{}",
    checkSchema: false,
    ...over,
  };
}

export function httpCall(fn: string, over: Partial<HttpCall> = {}): HttpCall {
  const head = { method: "GET", url: "http://localhost/", headers: [], params: {} };
  return {
    kind: "http",
    id: "c",
    fn,
    attempt: 1,
    timeoutMs: 5000,
    alone: false,
    kv: NO_KV,
    log: () => {},
    head,
    body: null,
    signal: null,
    ...over,
  };
}

export function runCall(fn: string, over: Partial<RunCall> = {}): RunCall {
  const policy = { attempts: 3, backoff: "fixed", baseMs: 0, factor: 1, maxMs: 0, jitter: "none", onExhausted: "throw" } as const;
  return {
    kind: "run",
    id: "c",
    fn,
    attempt: 1,
    timeoutMs: 5000,
    alone: false,
    kv: NO_KV,
    log: () => {},
    release: "r1",
    eventJson: "{}",
    run: {
      id: "run-1",
      seed: "s",
      startedMs: 1,
      nowMs: 2,
      http: false,
      policy,
      timeoutMs: 5000,
      checkSchema: false,
      check: false,
      begun: true,
      ahead: "no",
    },
    kvOf: () => NO_KV,
    begun: () => {},
    onMessage: () => {},
    ...over,
  };
}
