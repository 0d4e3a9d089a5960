/**
 * Every error that Millrace hands to a person has a code, says whose fault it is and what to do.
 * The codes are a registry: docs/reference/errors.md lists exactly these, and a test holds the two equal.
 */

/** Whose mistake it is: the one who calls a door, the author of the app, the operator of the node, or Millrace itself. */
export type Fault = "caller" | "app" | "operator" | "platform";

interface ErrorKind {
  readonly fault: Fault;
  /** The HTTP status with which a door answers. */
  readonly status: number;
  /** What to do, where the message itself does not say it. */
  readonly cure: string;
}

export const ERROR_KINDS = {
  // the doors
  bad_request: { fault: "caller", status: 400, cure: "Correct the request; the message names the part that is wrong." },
  bad_json: { fault: "caller", status: 400, cure: "Send valid JSON in UTF-8." },
  bad_event: { fault: "caller", status: 400, cure: "Send a CloudEvent 1.0: specversion, id, source and type are required." },
  bad_batch: {
    fault: "caller",
    status: 400,
    cure: "Correct the events named by index; the batch was refused whole, nothing of it was kept.",
  },
  bad_filter: { fault: "caller", status: 400, cure: "Correct the filter; the message names the part that is wrong." },
  schema_mismatch: { fault: "caller", status: 400, cure: "Send data that fits the schema of this event type." },
  reserved_type: { fault: "caller", status: 400, cure: "Choose another type: `millrace.*` is the platform's own." },
  unauthorized: {
    fault: "caller",
    status: 401,
    cure: "Send the token as `Authorization: Bearer …`; the node writes it to its data directory.",
  },
  forbidden: { fault: "caller", status: 403, cure: "Call the door by its own address, from its own origin." },
  not_found: { fault: "caller", status: 404, cure: "Check the name; the list command shows what there is." },
  method_not_allowed: { fault: "caller", status: 405, cure: "Use one of the methods that the Allow header names." },
  duplicate_id: { fault: "caller", status: 409, cure: "Give each event its own id; only an exact repetition may reuse one." },
  idempotency_in_progress: {
    fault: "caller",
    status: 409,
    cure: "Wait for the first request with this Idempotency-Key to end, then repeat.",
  },
  idempotency_answer_lost: {
    fault: "caller",
    status: 409,
    cure: "Do not repeat the request: it was done once. Ask for its result in another way.",
  },
  idempotency_reused: { fault: "caller", status: 422, cure: "Use a fresh Idempotency-Key for a different request." },
  too_large: { fault: "caller", status: 413, cure: "Send less at once, or raise the limit in the node's configuration." },
  headers_too_large: { fault: "caller", status: 431, cure: "Send fewer or shorter headers." },
  unsupported_media_type: {
    fault: "caller",
    status: 415,
    cure: "Send application/cloudevents+json, application/cloudevents-batch+json, or ce-* headers.",
  },
  request_timeout: { fault: "caller", status: 408, cure: "Send the request without long pauses." },
  // functions
  function_failed: { fault: "app", status: 500, cure: "Look at the function's log for the error and its stack." },
  function_timeout: { fault: "app", status: 504, cure: "Make the function faster, or raise its `timeout`." },
  function_crashed: { fault: "app", status: 502, cure: "Look at the function's log; the instance ended while it ran this call." },
  function_out_of_memory: { fault: "app", status: 502, cure: "Use less memory, or raise the function's `memory`." },
  bad_result: { fault: "app", status: 500, cure: "Return a Response, a string, bytes or a value that JSON can carry." },
  conflict: {
    fault: "app",
    status: 503,
    cure: "Repeat the request; if it happens often, let fewer functions write the same keys, or give them a `key`.",
  },
  kv_bad_key: { fault: "app", status: 500, cure: "Use a non-empty string of at most 1 KiB in UTF-8." },
  kv_too_large: { fault: "app", status: 500, cure: "Keep kv values to 1 MiB; split the value." },
  kv_bad_value: { fault: "app", status: 500, cure: "Store JSON values (no cycles, functions or BigInt) or bytes." },
  bad_value: { fault: "app", status: 500, cure: "Hand over data that structured clone can carry: no functions, no promises, no streams." },
  value_too_large: {
    fault: "app",
    status: 500,
    cure: "Keep large data elsewhere (in kv in pieces, or outside) and hand over a reference to it: a key, an address.",
  },
  run_failed: { fault: "app", status: 500, cure: "Look at the run: `millrace runs show ID` has its steps and its error." },
  run_cancelled: { fault: "app", status: 410, cure: "Begin a new run, or run this one again: `millrace runs rerun ID`." },
  run_state: { fault: "caller", status: 409, cure: "Look at the run's state first: `millrace runs show ID`." },
  callback_answered: { fault: "caller", status: 409, cure: "Nothing: the first answer counts, and the run has it." },
  callback_over: { fault: "caller", status: 410, cure: "Nothing: the run waits for this answer no longer." },
  effect_after_end: { fault: "app", status: 500, cure: "Await all effects before the handler returns; the transaction ended with it." },
  // loading an app
  app_not_found: { fault: "app", status: 500, cure: "Name a folder that has a `functions` folder, or make one with `millrace init`." },
  compile_failed: { fault: "app", status: 500, cure: "Correct the file; the message names the line." },
  load_failed: { fault: "app", status: 500, cure: "Correct the code that runs when the file is imported." },
  bad_option: { fault: "app", status: 500, cure: "Correct the option; docs/reference/options.md lists them all." },
  bad_pattern: { fault: "app", status: 400, cure: "Correct the pattern; docs/patterns.md shows each operator." },
  bad_sql: { fault: "app", status: 400, cure: "Correct the expression; docs/patterns.md shows the language." },
  duplicate_function: { fault: "app", status: 500, cure: "Rename one export, or give one an `id` of its own." },
  duplicate_route: { fault: "app", status: 500, cure: "Give each method and path to one function only." },
  // the node
  port_in_use: { fault: "operator", status: 500, cure: "Stop what listens there, or choose another with --port." },
  open_door: { fault: "operator", status: 500, cure: "Set a token before binding beyond loopback." },
  data_locked: { fault: "operator", status: 500, cure: "Stop the other node, or use another --data directory." },
  data_unwritable: { fault: "operator", status: 503, cure: "Make the data directory writable for this user." },
  data_corrupt: { fault: "operator", status: 503, cure: "Restore the data directory from a backup; nothing was changed." },
  data_newer: { fault: "operator", status: 500, cure: "Use the newer Millrace that wrote this directory." },
  disk_full: { fault: "operator", status: 503, cure: "Free disk space; the node goes on by itself when there is room." },
  overloaded: { fault: "operator", status: 503, cure: "Repeat later; raise limits or add capacity if it lasts." },
  stopping: { fault: "operator", status: 503, cure: "Repeat; the node is shutting down." },
  bad_config: { fault: "operator", status: 500, cure: "Correct the setting; docs/reference/configuration.md lists them all." },
  unreachable: {
    fault: "operator",
    status: 503,
    cure: "Start the node (`millrace dev` or `millrace start`), or name its data directory with --data.",
  },
  fenced: { fault: "platform", status: 503, cure: "Repeat; another node owns this partition now." },
  internal: { fault: "platform", status: 500, cure: "This is a defect of Millrace: please report it with the message and the log." },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERROR_KINDS;

export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly cure: string;
  readonly details?: unknown;
}

export class MillraceError extends Error {
  override readonly name = "MillraceError";
  readonly code: ErrorCode;
  /** Structured facts for programs: the index of a bad event, the path of a pattern, … */
  readonly details: unknown;
  private readonly ownCure: string | undefined;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: unknown; cure?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details;
    this.ownCure = options.cure;
  }

  get fault(): Fault {
    return ERROR_KINDS[this.code].fault;
  }

  get status(): number {
    return ERROR_KINDS[this.code].status;
  }

  get cure(): string {
    return this.ownCure ?? ERROR_KINDS[this.code].cure;
  }

  /** The JSON that every door answers with: `{ error: ErrorBody }`. */
  toBody(): { error: ErrorBody } {
    const error = { code: this.code, message: this.message, cure: this.cure };
    return { error: this.details === undefined ? error : { ...error, details: this.details } };
  }
}

/** What was thrown may be anything; this makes an Error of it without losing what it said. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  return new Error(typeof thrown === "string" ? thrown : `a value that is no Error was thrown: ${describe(thrown)}`);
}

function describe(value: unknown): string {
  try {
    return JSON.stringify(value) ?? typeof value;
  } catch {
    return typeof value;
  }
}
