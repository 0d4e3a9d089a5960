import { transform } from "esbuild";
import { expect, it } from "vitest";
import { SourceMap } from "./source-map.ts";

it("B15: finds the place in the source for a place in the bundle", async () => {
  const source = [
    "interface Order { id: string }",
    "",
    "export function check(order: Order): void {",
    "  if (order.id === '') throw new Error('no id');",
    "}",
  ];
  const { code, map } = await transform(source.join("\n"), { loader: "ts", sourcemap: true, sourcefile: "functions/check.ts" });
  const lines = code.split("\n");
  const line = lines.findIndex((text) => text.includes("new Error"));
  const column = (lines[line] ?? "").indexOf("new Error");
  const found = SourceMap.parse(map)?.find(line + 1, column + 1);
  expect(found).toEqual({ source: "functions/check.ts", line: 4, column: (source[3] ?? "").indexOf("new Error") + 1 });
  expect(SourceMap.parse(map)?.find(line + 1, column + 1)).toEqual(found);
});

it("B15: negative and long numbers, segments without a source, lines without a mapping", () => {
  // Line 1: column 0 → a.ts 600:1; line 2: nothing; line 3: column 4 → b.ts 1:1, column 8 has no source.
  const map = new SourceMap("AAulBA;;ICvlBA,I", ["a.ts", "b.ts"]);
  expect(map.find(1, 1)).toEqual({ source: "a.ts", line: 600, column: 1 });
  expect(map.find(2, 1)).toBeNull();
  expect(map.find(3, 3)).toBeNull();
  expect(map.find(3, 5)).toEqual({ source: "b.ts", line: 1, column: 1 });
  expect(map.find(3, 100)).toEqual({ source: "b.ts", line: 1, column: 1 });
  expect(map.find(9, 1)).toBeNull();
});

it("B15: text that is no source map is none", () => {
  for (const text of ["", "{}", "null", "[]", '{"mappings":1}']) expect(SourceMap.parse(text)).toBeNull();
});
