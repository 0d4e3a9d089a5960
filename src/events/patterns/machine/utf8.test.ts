import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { faultInUtf8, readUtf8, toUtf8 } from "./utf8.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

describe("UTF-8", () => {
  it("P15: well-formed strings are written as TextEncoder writes them", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect([...toUtf8(text)]).toEqual([...new TextEncoder().encode(text)]);
      }),
    );
  });

  it("P15: every string comes back, halves of surrogate pairs too, and no two have the same bytes", () => {
    const unit = fc.oneof(
      fc.string({ unit: "binary", maxLength: 1 }),
      fc.integer({ min: 0xd7ff, max: 0xe000 }).map((code) => String.fromCharCode(code)),
    );
    fc.assert(
      fc.property(fc.string({ unit }), (text) => {
        const bytes = toUtf8(text);
        expect(readUtf8(bytes, 0, bytes.length)).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  it("P15: a fault is found where TextDecoder finds one, and nowhere else", () => {
    const byte = fc.oneof(
      fc.constantFrom(0x41, 0x7f, 0x80, 0xbf, 0xc1, 0xc2, 0xe0, 0x9f, 0xa0, 0xed, 0xee, 0xef, 0xf0, 0x8f, 0x90, 0xf4, 0xf5),
      fc.nat(255),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), fc.array(byte, { maxLength: 8 }), (some, others) => {
        for (const bytes of [some, Uint8Array.from(others)]) {
          let isSound = true;
          try {
            strict.decode(bytes);
          } catch {
            isSound = false;
          }
          expect(faultInUtf8(bytes, 0, bytes.length) === -1).toBe(isSound);
        }
      }),
      { numRuns: 20_000 },
    );
  });
});
