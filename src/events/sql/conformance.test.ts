import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isScalar, parseDocument, type YAMLMap, type YAMLSeq } from "yaml";
import { compileSql, SqlError, type SqlResult } from "./index.ts";

/** The conformance cases of the CloudEvents project (cesql/cesql_tck). They lie beside the project, not in it. */
const CASES = join(import.meta.dirname, "../../../../shared/conformance/cesql");

interface Case {
  readonly name: string;
  readonly expression: string;
  readonly result?: string | number | boolean;
  readonly error?: keyof typeof ERROR_KINDS;
  readonly event?: object;
  readonly eventOverrides?: object;
}

/** Their names of errors, and ours. */
const ERROR_KINDS = {
  parse: "parse",
  math: "math",
  cast: "cast",
  missingFunction: "missing_function",
  missingAttribute: "missing_attribute",
  functionEvaluation: "function_evaluation",
} as const;

const ANY_EVENT = { specversion: "1.0", id: "an-id", source: "/a/source", type: "a.type" };

/** An expression that is refused when it is compiled counts as one that gives false and this error (S1). */
function resultOf({ expression, event, eventOverrides }: Case): { value: SqlResult["value"]; kind: string | undefined } {
  try {
    const { value, error } = compileSql(expression).evaluate(event ?? { ...ANY_EVENT, ...eventOverrides });
    return { value, kind: error?.kind };
  } catch (thrown) {
    if (thrown instanceof SqlError) return { value: false, kind: thrown.kind };
    throw thrown;
  }
}

/** The cases of a file. An expression is taken as it is written: to YAML `tRuE` is text, but TRUE and 123 are not. */
function casesOf(text: string): Case[] {
  const document = parseDocument(text);
  const { name, tests } = document.toJS() as { name: string; tests: Case[] };
  const nodes = (document.get("tests") as YAMLSeq<YAMLMap>).items;
  return tests.map((test, i) => {
    const expression = nodes[i]?.get("expression", true);
    if (!isScalar(expression) || expression.source === undefined) throw new Error(`${name}: ${test.name} has no expression`);
    return { ...test, name: `${name}: ${test.name}`, expression: expression.source };
  });
}

describe.skipIf(!existsSync(CASES))("S0: the conformance cases of CloudEvents SQL (skipped where ../shared/conformance is absent)", () => {
  const files = existsSync(CASES) ? readdirSync(CASES).filter((name) => name.endsWith(".yaml")) : [];
  const cases = files.flatMap((file) => casesOf(readFileSync(join(CASES, file), "utf8")));
  let passed = 0;

  it.each(cases)("$name", (test) => {
    const { value, kind } = resultOf(test);
    expect(kind).toBe(test.error === undefined ? undefined : ERROR_KINDS[test.error]);
    if (test.result !== undefined) expect(value).toBe(test.result);
    passed++;
  });

  it("are all there, and all pass", () => {
    process.stdout.write(`CloudEvents SQL conformance: ${files.length} files, ${cases.length} cases, ${passed} passed\n`);
    expect([files.length, cases.length, passed]).toEqual([18, 275, 275]);
  });
});
