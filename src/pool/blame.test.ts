import { describe, expect, it } from "vitest";
import { type Beyond, type Ending, type InFlight, judge, withMemoryHint } from "./blame.ts";

const ERROR = { name: "E", message: "m", stack: null };
const OOM = "<--- Last few GCs --->\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n";

let number = 0;
const call = (over: Partial<InFlight> = {}): InFlight => ({ number: ++number, phase: "running", allowedMs: 1000, kind: "event", ...over });
const gone = (code: number | null, signal: string | null, output = ""): Ending => ({ kind: "gone", exit: { code, signal, output } });

function verdict(ending: Ending, mine: InFlight, others: readonly InFlight[] = []): string {
  const found = judge(ending, mine, others, 64 * 2 ** 20);
  return found.kind === "timeout" ? "timeout" : `${found.blame} ${found.error.name}`;
}

describe("who ended the instance", () => {
  const mine = call();
  const [other, aborting, streaming] = [call(), call({ phase: "aborting" }), call({ phase: "answering" })];

  it.each<[string, Ending, InFlight, InFlight[], string]>([
    ["B1: it named this call", { kind: "fatal", number: mine.number, error: ERROR }, mine, [other], "guilty E"],
    ["B1: it named another", { kind: "fatal", number: other.number, error: ERROR }, mine, [other], "bystander Crashed"],
    ["B1: it could not tell, one call", { kind: "fatal", number: 0, error: ERROR }, mine, [], "guilty E"],
    ["B1: it could not tell, several", { kind: "fatal", number: 0, error: ERROR }, mine, [other], "suspect E"],
    ["B2: gone, one call", gone(1, null), mine, [], "guilty Crashed"],
    ["B2: gone, several", gone(null, "SIGKILL"), mine, [other], "suspect Crashed"],
    ["B2: gone, beside an answer that flows", gone(null, "SIGKILL"), mine, [streaming], "suspect Crashed"],
    ["B3: the heap was full", gone(null, "SIGABRT", OOM), mine, [], "guilty OutOfMemory"],
    [
      "B3: the kernel ended it",
      { kind: "gone", exit: { code: null, signal: "SIGKILL", output: "", ranOut: true } },
      mine,
      [],
      "guilty OutOfMemory",
    ],
    ["B3: an abort of another cause", gone(null, "SIGABRT", "assertion failed"), mine, [], "guilty Crashed"],
    [
      "B3: too much memory outside the heap",
      { kind: "beyond", beyond: { limit: "memory", usedBytes: 2 ** 30 } },
      mine,
      [other],
      "suspect OutOfMemory",
    ],
    ["B4: not the protocol", { kind: "violation", message: "garbage" }, mine, [other], "guilty ProtocolError"],
    ["B5: past its time and told so", gone(1, null), call({ phase: "overdue" }), [other], "timeout"],
    ["B6: ended by the pool", { kind: "ended" }, mine, [other], "bystander Ended"],
    ["T2: blocked, the one past its time", { kind: "blocked" }, aborting, [other], "timeout"],
    ["T2: blocked, one beside it", { kind: "blocked" }, mine, [aborting], "bystander Crashed"],
    ["T2: blocked, two past their time", { kind: "blocked" }, call({ phase: "aborting" }), [aborting], "suspect Timeout"],
    ["T2: blocked, an HTTP call past its time", { kind: "blocked" }, call({ phase: "aborting", kind: "http" }), [aborting], "timeout"],
  ])("%s", (_, ending, mine, others, expected) => {
    expect(verdict(ending, mine, others)).toBe(expected);
  });

  it("B2: the message says how the process ended and what it printed last", () => {
    const { error } = judge(gone(7, null, "one\nlast words\n"), mine, [], 1);
    expect(error.message).toBe(
      "the instance's process ended with exit code 7, without a word, while it ran this call; it last printed: last words",
    );
  });

  it.each<[string, Beyond, string]>([
    ["B3: memory", { limit: "memory", usedBytes: 200 * 2 ** 20 }, "OutOfMemory: .*64 MiB of memory \\(it used 200 MiB\\).*raise"],
    ["B7: processor time", { limit: "cpu", cpuMs: 6100 }, "CpuExceeded: .*6.1s.*threads and processes.*`timeout`"],
    ["W7: processes", { limit: "processes", count: 65 }, "TooManyProcesses: .*65 processes"],
    ["W7: tmp", { limit: "tmp", limitBytes: 64 * 2 ** 20 }, "TmpFull: .*64 MiB.*`memory`"],
  ])("%s: the error says which limit, and what to do", (_, beyond, words) => {
    const mine = call();
    const { error } = judge({ kind: "beyond", beyond }, mine, [], 64 * 2 ** 20);
    expect(`${error.name}: ${error.message}`).toMatch(new RegExp(words));
    expect(verdict({ kind: "beyond", beyond }, mine, [call()])).toBe(`suspect ${error.name}`);
  });

  it("W7: an allocation that the kernel refused is told with the limit; other errors stay as they are", () => {
    const failed = { name: "RangeError", message: "Failed to allocate memory", stack: null };
    expect(withMemoryHint(failed, 64 * 2 ** 20).message).toMatch(/^Failed to allocate memory: .*64 MiB.*raise the function's `memory`$/);
    const stack = `RangeError: ${failed.message}\n    at somewhere`;
    expect(withMemoryHint({ ...failed, stack }, 64 * 2 ** 20).stack).toMatch(/^RangeError: .*64 MiB.*`memory`\n    at somewhere$/);
    for (const other of [
      { ...failed, name: "Error" },
      { ...failed, message: "Invalid array length" },
    ])
      expect(withMemoryHint(other, 1)).toBe(other);
  });
});
