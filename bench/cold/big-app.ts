import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const BUNDLE_BYTES = 5_000_000;

/**
 * An app with two functions at zero: a small one, and one whose bundle has 5 MB. Of those 5 MB nearly all is functions that a start does not
 * run, as in an app with large libraries; a hundredth runs at the top of the file. What a library runs at its own top is not made faster
 * by a code cache: an app that imports two clients of the AWS SDK, Express and MQTT takes 100 ms and more for that alone.
 */
export function writeApp(): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-cold-"));
  mkdirSync(join(folder, "functions"));
  const small = `import { fn, http } from "millrace";\nexport const small = fn({ on: http.get("/small"), instances: { idle: "1ms" } }, () => "cold");\n`;
  writeFileSync(join(folder, "functions/small.ts"), small);
  writeFileSync(join(folder, "functions/big.ts"), bigSource());
  return folder;
}

function bigSource(): string {
  let code = "";
  let count = 0;
  while (code.length < BUNDLE_BYTES) code += feature(count++);
  return `import { fn, http } from "millrace";\n${code}
const features = [${Array.from({ length: count }, (_, i) => `feature${i}`).join(",")}];
for (let i = 0; i < features.length; i += 100) features[i]?.({ id: i, names: ["a", "b"] });
export const big = fn({ on: http.get("/big"), instances: { idle: "1ms" } }, () => String(features.length));\n`;
}

/** A function with functions inside, of 2.5 KB. */
function feature(index: number): string {
  const steps = Array.from(
    { length: 8 },
    (_, i) => `
  function step${i}(input: { id: number; names: string[] }, options: { digits?: number; separator?: string } = {}): string {
    const parts: string[] = [];
    for (const [key, value] of Object.entries(input)) {
      if (typeof value === "number") parts.push(key + "=" + value.toFixed(options.digits ?? ${i}));
      else parts.push(...value.map((each, at) => key + "[" + at + "]=" + each));
    }
    return parts.join(options.separator ?? "&") + "#${index}.${i}";
  }`,
  ).join("");
  const calls = Array.from({ length: 8 }, (_, i) => `step${i}(input)`).join(", ");
  return `function feature${index}(input: { id: number; names: string[] }): string {${steps}\n  return [${calls}].join("\\n");\n}\n`;
}
