import { isDeepStrictEqual } from "node:util";
import { ANY, predict } from "./model.ts";
import type { Program } from "./program.ts";

/** What a node says of a program's run. */
export interface FoundRun {
  readonly state: string;
  readonly result: unknown;
}

export interface Found {
  readonly runs: ReadonlyMap<string, FoundRun>;
  /** Programs that may have begun or not. */
  readonly unsure: ReadonlySet<string>;
  /** Everything in the kv. */
  readonly kv: ReadonlyMap<string, unknown>;
}

/** A difference from the model. */
export interface Difference {
  readonly program: string | null;
  readonly rule: string;
  readonly text: string;
}

export function judge(programs: readonly Program[], found: Found): readonly Difference[] {
  const differences: Difference[] = [];
  const counts = new Map<string, number>();
  const shared = new Map<number, number>();
  for (const program of programs) {
    const told = (rule: string, text: string): unknown => differences.push({ program: program.id, rule, text });
    const predicted = predict(program);
    const run = found.runs.get(program.id);
    // Not at all, then: a counter of it would be a difference.
    if (run === undefined && found.unsure.has(program.id)) continue;
    for (const [key, count] of predicted.counts) counts.set(`count ${key}`, count);
    for (const [counter, count] of predicted.shared) shared.set(counter, (shared.get(counter) ?? 0) + count);
    if (run === undefined) {
      told("X1", "there is no run of it");
      continue;
    }
    if (run.state !== predicted.state) told("X2", `is ${run.state}, not ${predicted.state}`);
    else if (predicted.state === "done" && !isDeepStrictEqual(run.result, predicted.result))
      told("X2", `came to ${JSON.stringify(run.result)}, not ${JSON.stringify(predicted.result)}`);
    const undone = found.kv.get(`order ${program.id} undone`) ?? [];
    if (predicted.undone !== null && !isDeepStrictEqual(undone, predicted.undone))
      told("X4", `undid ${JSON.stringify(undone)}, not ${JSON.stringify(predicted.undone)}`);
  }
  for (const [key, value] of found.kv) {
    if (!key.startsWith("count ")) continue;
    const wanted = counts.get(key) ?? 0;
    if (wanted !== ANY && value !== wanted)
      differences.push({ program: ownerOf(key), rule: "X3", text: `"${key}" holds ${String(value)}, not ${wanted}` });
    counts.delete(key);
  }
  for (const [key, wanted] of counts)
    if (wanted > 0) differences.push({ program: ownerOf(key), rule: "X3", text: `"${key}" holds nothing, not ${wanted}` });
  for (const [counter, wanted] of shared) {
    const value = found.kv.get(`shared ${counter}`) ?? 0;
    if (value !== wanted)
      differences.push({ program: null, rule: "X7", text: `the shared counter ${counter} holds ${JSON.stringify(value)}, not ${wanted}` });
  }
  return differences;
}

/** `count p12-3 key` belongs to the program p12, whose child it is. */
function ownerOf(key: string): string | null {
  return /^count (p\d+)/.exec(key)?.[1] ?? null;
}
