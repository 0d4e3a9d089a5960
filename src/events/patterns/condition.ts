import { compileAlternative } from "./alternative.ts";
import { PatternError } from "./pattern-error.ts";
import { anyOf, type Predicate } from "./predicate.ts";
import type { Test } from "./test.ts";

/** One path of a pattern with its alternatives, made ready. */
export class Condition {
  /** Keys joined by dots. */
  readonly path: string;
  /** As it stands in the pattern: what `explain` shows. */
  readonly written: readonly unknown[];
  readonly tests: readonly Test[];
  private predicate: Predicate | undefined;

  constructor(path: string, written: readonly unknown[], tests: readonly Test[]) {
    this.path = path;
    this.written = written;
    this.tests = tests;
  }

  /** `exists: false` is among the alternatives. */
  get mayBeAbsent(): boolean {
    return this.tests.some(({ kind }) => kind === "absent");
  }

  /** Made at the first use: of a million rules most are never asked one by one. */
  get holds(): Predicate {
    return (this.predicate ??= anyOf(this.tests));
  }
}

/** `at` is where the alternatives stand, for errors. */
export function compileCondition(path: string, written: readonly unknown[], at: string): Condition {
  if (written.length === 0) throw new PatternError(at, "an empty list of alternatives matches nothing; write at least one");
  const tests = written.map((source, i) => compileAlternative(source, `${at}[${i}]`));
  return new Condition(path, written, tests);
}
