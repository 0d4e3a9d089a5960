import { format } from "node:util";
import type { LogLevel } from "../protocol/messages.ts";
import type { Call } from "./call.ts";
import { emitter } from "./emit.ts";
import { KvView } from "./kv-view.ts";
import type { Context, Kv } from "../sdk/context.ts";
import type { Schemas } from "./schemas.ts";
import { starter } from "./start.ts";
import type { Targets } from "./flow/targets.ts";

/** Of the route, decoded. */
export type Params = Readonly<Record<string, string>>;

type LogFunction = (...parts: unknown[]) => void;

/** What all calls of an instance share. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string>>;
  readonly schemas: Schemas;
  readonly targets: Targets;
}

/** The `ctx` of one call. Getters, so that a call pays only for what it uses; their values may be taken apart (`{ kv, emit }`). */
export class CallContext implements Context {
  readonly id: string;
  readonly attempt: number;
  readonly params: Params;
  readonly #call: Call;
  readonly #surroundings: Surroundings;
  #log: Readonly<Record<LogLevel, LogFunction>> | null = null;
  #emit: Context["emit"] | null = null;
  #kv: Kv | null = null;
  #start: Context["start"] | null = null;

  constructor(call: Call, params: Params, surroundings: Surroundings) {
    this.id = call.head.id;
    this.attempt = call.head.attempt;
    this.params = params;
    this.#call = call;
    this.#surroundings = surroundings;
  }

  get env(): Readonly<Record<string, string>> {
    return this.#surroundings.env;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  get deadline(): Date {
    return new Date(this.#call.startedMs + this.#call.head.timeoutMs);
  }

  get log(): Readonly<Record<LogLevel, LogFunction>> {
    return (this.#log ??= loggerOf(this.#call));
  }

  get emit(): Context["emit"] {
    return (this.#emit ??= emitter(this.#surroundings.schemas, this.#call.effects, this.#call.guard) as Context["emit"]);
  }

  get start(): Context["start"] {
    return (this.#start ??= starter(this.#surroundings.targets, this.#call.effects, this.#call.guard));
  }

  get kv(): Kv {
    return (this.#kv ??= kvOf(this.#call));
  }
}

/** Without the view's own state: a handler sees the four verbs. */
function kvOf(call: Call): Kv {
  const { get, set, delete: remove, list } = new KvView(call.reads, call.effects, call.guard);
  return Object.freeze({ get, set, delete: remove, list }) as Kv;
}

function loggerOf(call: Call): Readonly<Record<LogLevel, LogFunction>> {
  const at =
    (level: LogLevel): LogFunction =>
    (...parts) =>
      call.log.line(level, format(...parts));
  return Object.freeze({ debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") });
}
