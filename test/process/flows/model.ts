import type { Op, Program } from "./program.ts";

/** What a program comes to, whatever happened on the way. */
export interface Prediction {
  readonly state: "done" | "failed" | "cancelled";
  readonly result: unknown;
  /** By the program's id and the counter's name. */
  readonly counts: ReadonlyMap<string, number>;
  readonly shared: ReadonlyMap<number, number>;
  /** Steps to be undone that were done one after the other, last first; null where some were done side by side. */
  readonly undone: readonly string[] | null;
}

/** How a program's run goes, told from the program alone. */
export function predict(program: Program): Prediction {
  return new Model(program).predict();
}

/** The run's error. */
const FAILED = Symbol("failed");

class Model {
  readonly counts = new Map<string, number>();
  readonly shared = new Map<number, number>();
  private readonly program: Program;
  private readonly undo: string[] = [];
  private sideBySide = false;

  constructor(program: Program) {
    this.program = program;
  }

  predict(): Prediction {
    const { end } = this.program;
    const results: unknown[] = [];
    let failed = false;
    for (const op of this.program.ops) {
      const result = this.run(op);
      failed = result === FAILED;
      if (failed) break;
      results.push(result);
    }
    const state = failed || end === "throws" ? "failed" : end === "done" ? "done" : "cancelled";
    const undoes = state !== "done" && (failed || end !== "dropped");
    if (undoes) for (const key of this.undo) this.count(`undone ${key}`);
    return {
      state,
      result: state === "done" ? results : null,
      counts: this.counts,
      shared: this.shared,
      undone: this.sideBySide ? null : undoes ? this.undo.toReversed() : [],
    };
  }

  private run(op: Op): unknown {
    switch (op.op) {
      case "step":
        return this.step(op);
      case "chain":
        for (let i = 0; i < op.steps; i++) this.count(`heard ${op.key}.${i}`);
        return op.steps - 1;
      case "exhaust":
        return op.caught ? "caught" : FAILED;
      case "sleep":
        return null;
      case "wait":
        return op.comes ? 7 : null;
      case "callback":
        return { complete: 7, twice: 7, fail: "failed", timeout: null }[op.how];
      case "child":
        return this.child(op.program);
      case "fn":
        this.count(op.key);
        return 42;
      case "start":
        this.count(op.key);
        return true;
      case "map":
        return this.map(op);
      case "all": {
        this.sideBySide ||= op.ops.length > 1;
        return op.ops.map((each) => this.run(each));
      }
      case "race":
        this.count(op.key);
        return "step";
      case "any":
        return "sleep";
      case "same":
        this.run(op.between);
        return true;
      default:
        return op satisfies never;
    }
  }

  private step({ key, emits, shared, undo }: Extract<Op, { op: "step" }>): string {
    this.count(key);
    if (emits) this.count(`heard ${key}`);
    if (shared !== null) this.shared.set(shared, (this.shared.get(shared) ?? 0) + 1);
    if (undo) this.undo.push(key);
    return key;
  }

  private child(program: Program): unknown {
    const { state, result, counts, shared } = predict(program);
    for (const [key, count] of counts) this.counts.set(key, count);
    for (const [key, count] of shared) this.shared.set(key, (this.shared.get(key) ?? 0) + count);
    return state === "done" ? result : "child failed";
  }

  /** With more broken items than are tolerated, how many others were done by then is not told: the counter is left out. */
  private map({ key, items, broken, tolerate }: Extract<Op, { op: "map" }>): unknown {
    if (broken > tolerate) {
      this.counts.set(`${this.program.id} ${key} item`, ANY);
      return FAILED;
    }
    if (items > broken) this.counts.set(`${this.program.id} ${key} item`, items - broken);
    return Array.from({ length: items }, (_, item) => (item < broken ? "failed" : item));
  }

  private count(key: string): void {
    this.counts.set(`${this.program.id} ${key}`, 1);
  }
}

/** A counter that may hold anything. */
export const ANY = -1;
