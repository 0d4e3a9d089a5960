import type { ColdStart } from "./fleet.ts";

/** The starts that the medians are made of. */
const REMEMBERED = 100;

/** How a function's instances came to be, in numbers for people. */
export interface ColdStartStats {
  /** Instances started since the node began. */
  readonly count: number;
  /** Medians of the last hundred that were called; null: none was. */
  readonly phases: ColdStartPhases | null;
}

export type ColdStartPhases = Omit<ColdStart, "fn">;

const NEVER: ColdStartStats = { count: 0, phases: null };

/** Counts by function; a function keeps its numbers from release to release. */
export class ColdStarts {
  private readonly functions = new Map<string, { count: number; readonly last: ColdStart[] }>();

  started(fn: string): void {
    this.of(fn).count++;
  }

  called(start: ColdStart): void {
    const { last } = this.of(start.fn);
    last.push(start);
    if (last.length > REMEMBERED) last.shift();
  }

  stats(fn: string): ColdStartStats {
    const found = this.functions.get(fn);
    return found === undefined ? NEVER : { count: found.count, phases: mediansOf(found.last) };
  }

  get total(): number {
    let total = 0;
    for (const { count } of this.functions.values()) total += count;
    return total;
  }

  private of(fn: string): { count: number; readonly last: ColdStart[] } {
    let found = this.functions.get(fn);
    if (found === undefined) {
      found = { count: 0, last: [] };
      this.functions.set(fn, found);
    }
    return found;
  }
}

function mediansOf(starts: readonly ColdStart[]): ColdStartPhases | null {
  if (starts.length === 0) return null;
  return {
    waitMs: median(starts.map(({ waitMs }) => waitMs)),
    loadMs: median(starts.map(({ loadMs }) => loadMs)),
    firstCallMs: median(starts.map(({ firstCallMs }) => firstCallMs)),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
