/** What the node knows of an app without running its code: plain data, extracted once in a sandbox. */

export const HTTP_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "ANY"] as const;
export type HttpMethod = (typeof HTTP_METHODS)[number];

export type Trigger =
  | { readonly kind: "http"; readonly method: HttpMethod; readonly path: string }
  /** `type` may hold `*`; `where` is an event pattern over the whole event, `sql` a CloudEvents SQL expression over its attributes. All must hold. */
  | {
      readonly kind: "event";
      readonly type: string;
      readonly where: Readonly<Record<string, unknown>> | null;
      readonly sql: string | null;
    }
  | { readonly kind: "every"; readonly everyMs: number }
  | { readonly kind: "cron"; readonly expression: string; readonly timezone: string | null };

/** `default`: the event's partitionkey, if it has one. */
export type KeyRule =
  | { readonly kind: "default" }
  | { readonly kind: "none" }
  | { readonly kind: "path"; readonly path: readonly string[] };

export interface RetryPolicy {
  readonly attempts: number;
  readonly backoff: "exponential" | "fixed";
  readonly baseMs: number;
  readonly factor: number;
  readonly maxMs: number;
  readonly jitter: "full" | "none";
}

export const GRANTS = ["addons", "child_process", "worker"] as const;
export type Grant = (typeof GRANTS)[number];

export interface FunctionManifest {
  /** The `id` option, else the name of the export. Unique in the app. */
  readonly name: string;
  readonly exportName: string;
  /** The source file, relative to the app: for people. */
  readonly file: string;
  /** The bundle's file that exports it, relative to the release. */
  readonly entry: string;
  readonly triggers: readonly Trigger[];
  readonly key: KeyRule;
  readonly onDead: "continue" | "hold";
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
  readonly memoryBytes: number;
  /** Calls at once: in one instance, of the whole function (null: no limit), of one key. */
  readonly concurrency: { readonly instance: number; readonly function: number | null; readonly key: number };
  readonly instances: { readonly min: number; readonly max: number | null; readonly idleMs: number };
  readonly allow: readonly Grant[];
  readonly network: boolean;
  /** Only of a flow. `timeoutMs` and `retry` are then those of its steps. */
  readonly flow?: FlowManifest;
}

export interface FlowManifest {
  readonly onExhausted: "throw" | "pause";
  readonly deadlineMs: number | null;
  readonly cancelOn: readonly CancelRule[];
  /** Runs of one key at once; null: any number, which begin in order. */
  readonly runsPerKey: number | null;
}

export interface CancelRule {
  readonly type: string;
  /** Path in the event that cancels → path in the event that began the run, in the order of the former. */
  readonly match: readonly (readonly [string, string])[];
  readonly rollback: boolean;
}

/** A typed event. Without `jsonSchema` its data is checked in the receiver's sandbox, not at the door. */
export interface EventManifest {
  readonly type: string;
  /** The bundle's file that defines the schema, so that an emitter by name can find it. */
  readonly entry: string;
  readonly jsonSchema: unknown;
  readonly vendor: string;
}

export interface Manifest {
  readonly functions: readonly FunctionManifest[];
  readonly events: readonly EventManifest[];
}

/** An app made ready to run: immutable, named by its content. */
export interface Release {
  /** SHA-256 of the bundle, shortened. */
  readonly id: string;
  /** Where the bundle lies: entries, chunks and source maps. */
  readonly directory: string;
  readonly appDirectory: string;
  readonly manifest: Manifest;
  /** The app's variables (.env, .env.local). */
  readonly env: Readonly<Record<string, string>>;
}
