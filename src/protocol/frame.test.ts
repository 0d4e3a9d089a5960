import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FLAG_BROKEN, FLAG_LAST, FRAME, type Frame, FrameReader, FrameWriter, LARGEST_PART_BYTES, ProtocolError } from "./frame.ts";

interface Plain {
  readonly type: number;
  readonly call: number;
  readonly flags: number;
  readonly head: unknown;
  readonly body: string;
}

function plain(frame: Frame): Plain {
  return { type: frame.type, call: frame.call, flags: frame.flags, head: frame.head, body: frame.body.toString("latin1") };
}

function encode(frames: readonly Plain[]): Buffer {
  const written: Buffer[] = [];
  const writer = new FrameWriter((bytes) => written.push(bytes));
  for (const { type, call, flags, head, body } of frames) {
    writer.send(type as Frame["type"], call, head as object | null, Buffer.from(body, "latin1"), flags);
  }
  writer.flush();
  return Buffer.concat(written);
}

function decodeIn(pieces: Iterable<Buffer>): Plain[] {
  const frames: Plain[] = [];
  const reader = new FrameReader((frame) => frames.push(plain(frame)));
  for (const piece of pieces) reader.push(piece);
  return frames;
}

function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : (sizes[i % sizes.length] ?? 1);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

function faultOf(act: () => unknown): unknown {
  try {
    act();
    return null;
  } catch (error) {
    return error;
  }
}

const anyFrame: fc.Arbitrary<Plain> = fc.record({
  type: fc.constantFrom(...Object.values(FRAME)),
  call: fc.integer({ min: 0, max: 0xffff_ffff }),
  flags: fc.constantFrom(0, FLAG_LAST, FLAG_BROKEN, FLAG_LAST | FLAG_BROKEN),
  // A head crosses as JSON, where -0 is 0 and "__proto__" is a name like any other.
  head: fc
    .dictionary(fc.string({ unit: "binary" }), fc.jsonValue(), { noNullPrototype: true })
    .map((head) => JSON.parse(JSON.stringify(head)) as unknown),
  body: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
});

describe("frames", () => {
  it("F1: any split of any frames decodes to the same frames", () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 6 }), (frames, sizes) => {
        expect(decodeIn(cut(encode(frames), sizes))).toEqual(frames);
      }),
    );
  });

  it("F1: an empty head reads as {}, and text bodies are UTF-8", () => {
    const seen: Frame[] = [];
    const reader = new FrameReader((frame) => seen.push(frame));
    const writer = new FrameWriter((bytes) => reader.push(bytes));
    writer.send(FRAME.go, 7, null, null);
    writer.send(FRAME.log, 7, '{"level":"info"}', "höher ☂");
    writer.flush();
    expect(seen.map(({ head }) => head)).toEqual([{}, { level: "info" }]);
    expect(seen[1]?.body.toString()).toBe("höher ☂");
  });

  it("F2: garbage ends in a ProtocolError and in nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 4 }), (bytes, sizes) => {
        expect(faultOf(() => decodeIn(cut(Buffer.from(bytes), sizes)))).toSatisfy(
          (fault) => fault === null || fault instanceof ProtocolError,
        );
      }),
    );
  });

  it("F2: a length beyond the limit is refused as soon as the header is there", () => {
    for (const offset of [0, 4]) {
      const header = encode([{ type: FRAME.go, call: 1, flags: 0, head: null, body: "" }]);
      header.writeUInt32LE(LARGEST_PART_BYTES + 1, offset);
      expect(() => decodeIn([header])).toThrow(ProtocolError);
      header.writeUInt32LE(0xffff_ffff, offset);
      expect(() => decodeIn([header])).toThrow(ProtocolError);
    }
  });

  it("F2: an unknown type is refused before its body has come", () => {
    const header = encode([{ type: FRAME.go, call: 1, flags: 0, head: null, body: "" }]);
    header.writeUInt8(99, 12);
    header.writeUInt32LE(1000, 4);
    expect(() => decodeIn([header])).toThrow("unknown frame type 99");
  });

  it.each(["[1]", "null", "1", '"x"', "{", "{}{}"])("F2: a head that is %s is refused", (head) => {
    const written: Buffer[] = [];
    const writer = new FrameWriter((bytes) => written.push(bytes));
    writer.send(FRAME.result, 1, head, null);
    writer.flush();
    expect(() => decodeIn(written)).toThrow(ProtocolError);
  });

  it("F2: the largest frame passes in small pieces without its pieces being joined again and again", () => {
    const body = "x".repeat(LARGEST_PART_BYTES);
    const frames = [
      { type: FRAME.responseChunk, call: 1, flags: 0, head: {}, body },
      { type: FRAME.go, call: 2, flags: 0, head: {}, body: "" },
    ];
    const startedMs = performance.now();
    expect(decodeIn(cut(encode(frames), [1024]))).toEqual(frames);
    // 4096 pieces: copying each once takes milliseconds, joining at every piece some eight gigabytes of copies.
    expect(performance.now() - startedMs).toBeLessThan(2000);
  });

  it("F11: what was sent in one tick leaves in one write", async () => {
    const writes: Buffer[] = [];
    const frames: Plain[] = [];
    const reader = new FrameReader((frame) => frames.push(plain(frame)));
    await new Promise<void>((resolve) => {
      const writer = new FrameWriter((bytes) => {
        writes.push(bytes);
        resolve();
      });
      writer.send(FRAME.go, 1, null, null);
      writer.send(FRAME.event, 2, { id: "a" }, "y".repeat(100_000));
    });
    expect(writes).toHaveLength(1);
    for (const bytes of writes) reader.push(bytes);
    expect(frames.map(({ call }) => call)).toEqual([1, 2]);
  });

  it("F11: bytes handed out are never written again", () => {
    const writes: Buffer[] = [];
    const writer = new FrameWriter((bytes) => writes.push(bytes));
    for (const size of [10, 9000, 10]) {
      writer.send(FRAME.event, size, null, "z".repeat(size));
      writer.flush();
    }
    expect(decodeIn(writes).map(({ call, body }) => [call, body.length])).toEqual([
      [10, 10],
      [9000, 9000],
      [10, 10],
    ]);
  });
});
