import { formatDuration, formatSize } from "../core/index.ts";
import type { FunctionError } from "../protocol/messages.ts";
import { GONE } from "./pool.ts";
import type { Exit } from "./spawn.ts";

/** Why an instance ended (or was ended). */
export type Ending =
  /** The process said before its end which call it was (0: it could not tell). */
  | { readonly kind: "fatal"; readonly number: number; readonly error: FunctionError }
  /** It was gone without a word. */
  | { readonly kind: "gone"; readonly exit: Exit }
  /** It used more than it may. */
  | { readonly kind: "beyond"; readonly beyond: Beyond }
  /** It did not speak the protocol. */
  | { readonly kind: "violation"; readonly message: string }
  /** It did not hear an `abort`. */
  | { readonly kind: "blocked" }
  /** The pool had no more use for it (stopping, retired). */
  | { readonly kind: "ended" };

/** A limit that is watched, and how far it was passed. */
export type Beyond =
  | { readonly limit: "memory"; readonly usedBytes: number }
  | { readonly limit: "cpu"; readonly cpuMs: number }
  | { readonly limit: "processes"; readonly count: number }
  | { readonly limit: "tmp"; readonly limitBytes: number };

export interface InFlight {
  readonly number: number;
  /** `aborting`: past its time, not known to have heard of it; `overdue`: it has heard; `answering`: its body flows. */
  readonly phase: "running" | "aborting" | "overdue" | "answering";
  /** What it was given: of a run, until its next frame. */
  readonly allowedMs: number;
  readonly kind: "event" | "http" | "run";
}

export type Verdict =
  | { readonly kind: "crashed"; readonly blame: "guilty" | "suspect" | "bystander"; readonly error: FunctionError }
  | { readonly kind: "timeout"; readonly error: FunctionError };

/** Who ended the instance, as far as it can be known (SPEC B1–B6). `others`: calls that are in flight as well. */
export function judge(ending: Ending, call: InFlight, others: readonly InFlight[], memoryBytes: number): Verdict {
  const alone = others.length === 0;
  if (call.phase === "overdue") return { kind: "timeout", error: timedOut(call) };
  switch (ending.kind) {
    case "fatal": {
      if (ending.number === call.number || (ending.number === 0 && alone)) return crashed("guilty", ending.error);
      return ending.number === 0 ? crashed("suspect", ending.error) : crashed("bystander", BYSTANDER);
    }
    case "gone":
      return crashed(alone ? "guilty" : "suspect", describeExit(ending.exit, memoryBytes));
    case "beyond":
      return crashed(alone ? "guilty" : "suspect", beyondLimit(ending.beyond, memoryBytes));
    case "violation":
      return crashed("guilty", { name: "ProtocolError", message: `the instance broke the protocol: ${ending.message}`, stack: null });
    case "blocked":
      return judgeBlocked(call, others);
    case "ended":
      return crashed("bystander", { name: "Ended", message: "the instance was ended before the call was", stack: null });
    default:
      return ending satisfies never;
  }
}

/**
 * One call past its time in a blocked loop: it is the one. With several the one that blocks is not known, so they are
 * run again, each alone, where it shows. An HTTP call is not run again, and its time is over in any case.
 */
function judgeBlocked(call: InFlight, others: readonly InFlight[]): Verdict {
  if (call.phase !== "aborting") return crashed("bystander", BYSTANDER);
  const error = timedOut(call, "and blocked the event loop");
  if (call.kind === "http" || !others.some(({ phase }) => phase === "aborting")) return { kind: "timeout", error };
  return crashed("suspect", error);
}

const BYSTANDER: FunctionError = {
  name: GONE,
  message: "another call in the same instance ended it; this one had no part in it",
  stack: null,
};

export function timedOut({ kind, allowedMs }: Pick<InFlight, "kind" | "allowedMs">, how = "and was told to stop"): FunctionError {
  const limit = formatDuration(allowedMs);
  const message =
    kind === "run"
      ? `the run did not go on for ${limit} ${how}: no step ended and nothing was asked for. Does its code between steps wait for something that is no step? Do that in a step, or raise the flow's \`timeout\``
      : `the function ran longer than its ${limit} ${how}: make it faster, or raise its \`timeout\``;
  return { name: "Timeout", message, stack: null };
}

function outOfMemory(memoryBytes: number, what: string): FunctionError {
  return {
    name: "OutOfMemory",
    message: `the function's instance went beyond its ${formatSize(memoryBytes)} of memory (${what}): use less, or raise the function's \`memory\``,
    stack: null,
  };
}

/** At the kernel's limit an allocation fails where it is made, and JavaScript throws: V8's words alone say nothing of a limit. */
export function withMemoryHint(error: FunctionError, memoryBytes: number): FunctionError {
  if (error.name !== "RangeError" || !/alloc/i.test(error.message)) return error;
  const message = `${error.message}: the function's instance may use ${formatSize(memoryBytes)} of memory; use less, or raise the function's \`memory\``;
  // A log shows the stack, whose first line has the message in it.
  return { ...error, message, stack: error.stack?.replace(error.message, () => message) ?? null };
}

function beyondLimit(beyond: Beyond, memoryBytes: number): FunctionError {
  switch (beyond.limit) {
    case "memory":
      return outOfMemory(memoryBytes, `it used ${formatSize(beyond.usedBytes)}`);
    case "cpu": {
      const message = `the function's instance used ${formatDuration(beyond.cpuMs)} of processor time, in all its threads and processes: more than a call's \`timeout\`, or than is fitting without a call. Do less at once, or raise the function's \`timeout\``;
      return { name: "CpuExceeded", message, stack: null };
    }
    case "processes":
      return {
        name: "TooManyProcesses",
        message: `the function's instance had ${beyond.count} processes: start fewer at once`,
        stack: null,
      };
    case "tmp":
      return tmpFull(beyond.limitBytes);
    default:
      return beyond satisfies never;
  }
}

function tmpFull(limitBytes: number): FunctionError {
  const message = `the function's temporary folder held more than ${formatSize(limitBytes)}, which is its \`memory\`: remove files, or raise it`;
  return { name: "TmpFull", message, stack: null };
}

function describeExit(exit: Exit, memoryBytes: number): FunctionError {
  if (ranOut(exit))
    return outOfMemory(memoryBytes, /heap limit/i.test(exit.output) ? "the JavaScript heap was full" : "the kernel gave it no more");
  const how = exit.signal === null ? `with exit code ${exit.code ?? "unknown"}` : `by ${exit.signal}`;
  const last = lastLine(exit.output);
  return {
    name: GONE,
    message: `the instance's process ended ${how}, without a word, while it ran this call${last === "" ? "" : `; it last printed: ${last}`}`,
    stack: null,
  };
}

/** V8's words, or those of native code for which the kernel had no more memory. */
function ranOut({ code, signal, output, ranOut = false }: Exit): boolean {
  if (ranOut) return true;
  if (signal !== "SIGABRT" && signal !== "SIGTRAP" && code !== 134) return false;
  return /out of memory|Allocation failed|OOM error|bad_alloc/i.test(output);
}

function lastLine(output: string): string {
  return (output.trimEnd().split("\n").at(-1) ?? "").slice(0, 500);
}

function crashed(blame: "guilty" | "suspect" | "bystander", error: FunctionError): Verdict {
  return { kind: "crashed", blame, error };
}

/** Why code never came to run: the instance ended while it loaded. */
export function loadFailure(ending: Ending, memoryBytes: number): FunctionError {
  switch (ending.kind) {
    case "fatal":
      return ending.error;
    case "gone": {
      const error = describeExit(ending.exit, memoryBytes);
      return { ...error, message: error.message.replace("while it ran this call", "while it loaded the code") };
    }
    case "beyond":
      return beyondLimit(ending.beyond, memoryBytes);
    case "violation":
      return { name: "ProtocolError", message: `the instance broke the protocol while it loaded: ${ending.message}`, stack: null };
    case "blocked":
      return { name: "LoadTimeout", message: "the code that runs when the file is imported did not come to its end in time", stack: null };
    case "ended":
      return { name: "Ended", message: "the instance was ended while it loaded", stack: null };
    default:
      return ending satisfies never;
  }
}
