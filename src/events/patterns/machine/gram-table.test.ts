import { describe, expect, it } from "vitest";
import { compileCondition } from "../condition.ts";
import { compileWildcard } from "../wildcard.ts";
import { ByteWildcard } from "./byte-wildcard.ts";
import { Field } from "./field.ts";
import { GramTable, rankOf } from "./gram-table.ts";
import { Hit } from "./hit.ts";
import { PathNode } from "./path-node.ts";

const MOST = 32;
const condition = new Field(new PathNode(null, "f")).share(compileCondition("f", ["any"], "f"));

function wildcardOf(source: string): ByteWildcard {
  const wildcard = compileWildcard(source);
  if (wildcard.kind !== "starred") throw new Error(`${source} is no wildcard`);
  return new ByteWildcard(wildcard);
}

/** The gram under which the wildcard was filed, as text. */
function file(table: GramTable, source: string): string {
  const wildcard = wildcardOf(source);
  const gram = table.add(wildcard, new Hit(condition, null, wildcard), MOST);
  if (gram === undefined) return "";
  return Array.from({ length: gram.length }, (_, i) => String.fromCharCode((gram.bits >>> (8 * (gram.length - 1 - i))) & 0xff)).join("");
}

describe("gram table", () => {
  it("P43: files a wildcard under the longest gram, and under the one that the fewest others share", () => {
    const table = new GramTable();
    expect(file(table, "*a*placed*b*")).toBe("aced");
    expect(file(table, "*c*placed*d*")).toBe("lace");
    expect(file(table, "*e*ed*")).toBe("ed");
    expect(file(table, "x*y")).toBe("");
    expect(table.size).toBe(3);
  });

  it("P43: a single letter between the stars tells less than a long beginning that nobody else has", () => {
    const table = new GramTable();
    expect(table.rank(wildcardOf("order.*a*"), MOST)).toBeGreaterThan(rankOf("order.".length, 0));
    expect(table.rank(wildcardOf("order.*a*"), MOST)).toBeLessThan(rankOf("order.".length, 1));
    expect(table.rank(wildcardOf("order.*"), MOST)).toBe(Number.POSITIVE_INFINITY);
  });
});
