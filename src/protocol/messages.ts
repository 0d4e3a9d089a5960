/** The heads of the frames between node and instance (SPEC.md has the frames), and what both sides call by one name. */

export type { LogLevel } from "../core/log-level.ts";

/** A thrown value, flattened for the way over the frames. */
export interface FunctionError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
  /** `throw new Fatal()`: never to be tried again. */
  readonly fatal?: boolean;
  /** `throw new RetryAfter()`. */
  readonly retryAfterMs?: number;
}

/** What a transaction did, as the sandbox hands it over. */
export interface Effects {
  readonly emits: readonly Emit[];
  readonly kv: readonly KvEffect[];
  /** Runs to begin. */
  readonly starts?: readonly Start[];
}

/** A run that a transaction begins, or that a run calls. */
export interface Start {
  readonly target: string;
  /** Text that value-text.ts reads. */
  readonly input: string;
  readonly id: string;
  /** A user gave the id. */
  readonly named: boolean;
}

export const NO_EFFECTS: Effects = { emits: [], kv: [] };

export function isNothing({ emits, kv, starts }: Effects): boolean {
  return emits.length === 0 && kv.length === 0 && starts === undefined;
}

export interface Emit {
  readonly type: string;
  readonly id?: string;
  readonly source?: string;
  readonly subject?: string;
  readonly key?: string;
  /** Extension attributes. */
  readonly extensions?: Readonly<Record<string, string | number | boolean>>;
  readonly data?: unknown;
  /** A delayed event: when it shall happen, */
  readonly atMs?: number;
  /** or how long after the commit, by the node's clock. */
  readonly afterMs?: number;
}

export type KvEffect =
  | { readonly op: "set"; readonly key: string; readonly json: string; readonly ttlMs?: number }
  | { readonly op: "set"; readonly key: string; readonly base64: string; readonly ttlMs?: number }
  | { readonly op: "delete"; readonly key: string };

/** A value as the reader returns it: JSON text or bytes. */
export type WireValue = { readonly json: string } | { readonly base64: string };

/** The committed state, as one call sees it. Whoever implements it remembers what was read. */
export interface KvReader {
  get(keys: readonly string[]): Promise<readonly (WireValue | null)[]>;
  list(query: { prefix: string; after: string | null; limit: number }): Promise<readonly { key: string; value: WireValue }[]>;
}

export interface HttpHead {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  /** Name, value, name, value, … as they came. */
  readonly headers: readonly string[];
  readonly params: Readonly<Record<string, string>>;
}

export interface ResponseHead {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly string[];
}

/** How a step is tried again. */
export interface StepPolicy {
  readonly attempts: number;
  readonly backoff: "exponential" | "fixed";
  readonly baseMs: number;
  readonly factor: number;
  readonly maxMs: number;
  readonly jitter: "full" | "none";
  readonly onExhausted: "throw" | "pause";
}

/** The head of a `run` frame, besides what calls have in common. */
export interface RunHead {
  readonly id: string;
  readonly seed: string;
  readonly startedMs: number;
  readonly nowMs: number;
  /** The run was begun by an HTTP request: the event's data is the request. */
  readonly http: boolean;
  readonly policy: StepPolicy;
  readonly timeoutMs: number;
  /** No door could check the event against its schema. */
  readonly checkSchema: boolean;
  /** Steps whose part somebody else plays, by a `read` of the op "mock": tests. */
  readonly mocked?: readonly string[];
  /** Only see whether the journal fits the code: nothing is begun. */
  readonly check: boolean;
  /** Its beginning is committed. If not, it can only go ahead of that: `begin` asks for it, `kept` of the step 0 says that it is. */
  readonly begun: boolean;
  /** How far the handler may go with a step's result before its commit is known: to its end, or through further steps too. */
  readonly ahead: "no" | "end" | "steps";
}
