import * as fc from "fast-check";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EventBuffer } from "./event-buffer.ts";
import { skipComposite } from "./skip.ts";
import { assembleSkip } from "./testing-support/assemble.ts";

const buffer = new EventBuffer();
const NOISE = '{}[]"\\,: a1\n\0\u001f';

/** What both say of a value that begins where the event does. */
function both(event: Uint8Array): { webAssembly: number; javaScript: number } {
  buffer.load(event);
  return { webAssembly: buffer.skip(0), javaScript: skipComposite(buffer.bytes, 0, buffer.end) };
}

const value = fc.oneof(fc.array(fc.jsonValue({ maxDepth: 5 })), fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })));
const spacing = fc.constantFrom(undefined, 1, 4, "\t");

describe("skipping a value", () => {
  it("P17: WebAssembly and JavaScript find the end of every value, whatever follows", () => {
    fc.assert(
      fc.property(value, spacing, fc.constantFrom("", ",", "}", " ]", '"', "{{{{"), (json, space, tail) => {
        const text = Buffer.from(JSON.stringify(json, null, space));
        expect(both(Buffer.concat([text, Buffer.from(tail)]))).toEqual({ webAssembly: text.length, javaScript: text.length });
      }),
      { numRuns: 5000 },
    );
  });

  it("P17: they say the same of damaged ones", () => {
    const noise = fc.constantFrom(...NOISE.split("")).map((char) => char.charCodeAt(0));
    fc.assert(
      fc.property(value, fc.array(fc.tuple(fc.nat(), noise), { minLength: 1, maxLength: 6 }), fc.nat(), (json, hits, cut) => {
        const text = Buffer.from(JSON.stringify(json));
        for (const [at, byte] of hits) if (at % text.length > 0) text[at % text.length] = byte;
        const event = text.subarray(0, 1 + (cut % text.length));
        const { webAssembly, javaScript } = both(event);
        expect(webAssembly).toBe(javaScript);
        expect(Math.abs(webAssembly)).toBeLessThanOrEqual(event.length + 1);
      }),
      { numRuns: 20_000 },
    );
  });

  it("P17: never looks behind the event, even where the value would end there", () => {
    for (let length = 1; length < 80; length++) {
      buffer.load(Buffer.from(`[${"1".repeat(200)}]]]]]]}`));
      expect(both(Buffer.from(`[${"1".repeat(length - 1)}`))).toEqual({ webAssembly: -1 - length, javaScript: -1 - length });
      expect(both(Buffer.from(`["${"\\".repeat(length)}`)).webAssembly).toBeLessThan(0);
    }
  });

  it("P17: depth has no limit", () => {
    const deep = `${"[{".repeat(200_000).replaceAll("{", '{"a":')}1${"}]".repeat(200_000)}`;
    expect(both(Buffer.from(deep))).toEqual({ webAssembly: deep.length, javaScript: deep.length });
  });

  it("the module is what skip.wat says (npm run assemble)", async () => {
    expect(await readFile(join(import.meta.dirname, "skip-module.ts"), "utf8")).toBe(await assembleSkip());
  });
});
