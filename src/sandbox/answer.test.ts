import { describe, expect, it } from "vitest";
import { type Answer, toAnswer } from "./answer.ts";
import { AnswerStream } from "./answer-stream.ts";
import { LightResponse } from "./light-response.ts";

function headOf(answer: Answer): unknown {
  return JSON.parse(`{${answer.head}}`);
}

describe("what a handler returns", () => {
  it.each<[string, unknown, number, string[], string | null]>([
    ["nothing", undefined, 204, [], null],
    ["null", null, 204, [], null],
    ["a string", "hi", 200, ["content-type", "text/plain;charset=utf-8"], "hi"],
    ["an object", { a: 1 }, 200, ["content-type", "application/json"], '{"a":1}'],
    ["a number", 7, 200, ["content-type", "application/json"], "7"],
    ["false", false, 200, ["content-type", "application/json"], "false"],
    ["bytes", Buffer.from("hi"), 200, ["content-type", "application/octet-stream"], "hi"],
    ["an ArrayBuffer", Uint8Array.from([104, 105]).buffer, 200, ["content-type", "application/octet-stream"], "hi"],
    ["a Response", LightResponse.json([1], { status: 201 }), 201, ["content-type", "application/json"], "[1]"],
    ["an undici Response without a body", new Response(null, { status: 302, headers: { location: "/" } }), 302, ["location", "/"], null],
  ])("H1: %s", (_name, value, status, headers, body) => {
    const answer = toAnswer(value);
    expect(headOf(answer)).toEqual({ status, headers });
    if (answer.kind === "stream") throw new Error("it should be whole");
    expect(answer.body === null ? null : Buffer.from(answer.body as string).toString()).toBe(body);
  });

  it("H3: several cookies stay several, of either kind of Response", () => {
    for (const response of [new LightResponse(null), new Response(null)]) {
      response.headers.append("set-cookie", "a=1");
      response.headers.append("set-cookie", "b=2");
      expect(headOf(toAnswer(response))).toEqual({ status: 200, headers: ["set-cookie", "a=1", "set-cookie", "b=2"] });
    }
  });

  it.each<[string, () => unknown, string]>([
    ["a function", () => () => 1, "a function"],
    ["a symbol", () => Symbol("x"), "a symbol"],
    ["a Map", () => new Map([["a", 1]]), "a Map is no JSON value (use Object.fromEntries)"],
    ["a Set", () => new Set([1]), "a Set is no JSON value (use an array)"],
    ["numbers in bytes", () => new Float64Array(2), "bytes are no JSON value"],
    ["a BigInt inside", () => ({ a: [1n] }), "result.a[0]: a BigInt"],
    [
      "a cycle",
      () => {
        const value: Record<string, unknown> = {};
        value["self"] = value;
        return value;
      },
      "result.self: a cycle",
    ],
    ["Response.error()", () => LightResponse.error(), "status 0"],
    ["too many headers", () => new LightResponse("", { headers: { a: "x".repeat(70_000) } }), "headers come to more"],
  ])("H1: %s cannot be sent", (_name, make, words) => {
    expect(() => toAnswer(make())).toThrow(expect.objectContaining({ name: "BadResult", message: expect.stringContaining(words) }));
  });

  it("H1: a Response that was read cannot be sent", async () => {
    for (const response of [new LightResponse("hi"), new Response("hi")]) {
      await response.text();
      expect(() => toAnswer(response)).toThrow("already read");
    }
  });

  it("H4: to 64 KiB the body is whole, then it flows", () => {
    expect(toAnswer("x".repeat(65_536)).kind).toBe("whole");
    expect(toAnswer("x".repeat(65_537)).kind).toBe("stream");
    expect(toAnswer("ü".repeat(32_769)).kind).toBe("stream");
    expect(toAnswer(new Uint8Array(65_537)).kind).toBe("stream");
    expect(toAnswer(new Blob(["x"]).stream()).kind).toBe("stream");
    expect(
      toAnswer(
        (async function* () {
          yield "x";
        })(),
      ).kind,
    ).toBe("stream");
  });
});

interface Sent {
  readonly chunks: string[];
  readonly ends: (string | null)[];
}

function streamOf(source: ConstructorParameters<typeof AnswerStream>[0]): { stream: AnswerStream; sent: Sent } {
  const sent: Sent = { chunks: [], ends: [] };
  const stream = new AnswerStream(source, {
    chunk: (bytes, end) => {
      if (bytes !== null) sent.chunks.push(Buffer.from(bytes).toString());
      if (end !== null) sent.ends.push(end);
    },
  });
  return { stream, sent };
}

/** Lets everything that is ready run. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe("a streamed answer", () => {
  it("F7: sends nothing before go, and asks user code for nothing", async () => {
    let asked = false;
    const { stream, sent } = streamOf(
      (async function* () {
        asked = true;
        yield "a";
      })(),
    );
    const end = stream.run();
    await settle();
    expect([asked, sent.chunks]).toEqual([false, []]);
    stream.go();
    expect(await end).toBeNull();
    expect(sent).toEqual({ chunks: ["a"], ends: ["last"] });
  });

  it("F7: stops at its credit and goes on with more; F9: in chunks of 64 KiB", async () => {
    const { stream, sent } = streamOf(new Uint8Array(300 * 1024));
    const end = stream.run();
    stream.go();
    await settle();
    expect(sent.chunks.map((chunk) => chunk.length)).toEqual([65_536, 65_536, 65_536, 65_536]);
    stream.grant(10);
    await settle();
    expect(sent.chunks.at(-1)?.length).toBe(10);
    stream.grant(1024 * 1024);
    await end;
    expect(sent.chunks.reduce((sum, chunk) => sum + chunk.length, 0)).toBe(300 * 1024);
    expect(sent.ends).toEqual(["last"]);
  });

  it("H4: one that throws ends broken and tells why", async () => {
    const { stream, sent } = streamOf(
      (async function* () {
        yield "a";
        throw new Error("torn");
      })(),
    );
    stream.go();
    expect(await stream.run()).toEqual({ thrown: expect.objectContaining({ message: "torn" }) });
    expect(sent).toEqual({ chunks: ["a"], ends: ["broken"] });
  });

  it("H4: a piece that is no bytes ends it broken", async () => {
    const { stream, sent } = streamOf(
      (async function* () {
        yield 7;
      })(),
    );
    stream.go();
    expect(await stream.run()).toEqual({ thrown: expect.objectContaining({ message: expect.stringContaining("not of number") }) });
    expect(sent.ends).toEqual(["broken"]);
  });

  it("H4: discard ends it, though a generator waits for ever", async () => {
    const { stream } = streamOf(
      (async function* () {
        yield await new Promise(() => {});
      })(),
    );
    stream.go();
    const end = stream.run();
    await settle();
    stream.discard();
    expect(await end).toBeNull();
  });

  it("H4: discard cancels it, before go and in the middle of a read", async () => {
    for (const goes of [false, true]) {
      const cancelled = Promise.withResolvers<void>();
      const { stream, sent } = streamOf(new ReadableStream({ pull: () => new Promise(() => {}), cancel: () => cancelled.resolve() }));
      const end = stream.run();
      if (goes) stream.go();
      await settle();
      stream.discard();
      await cancelled.promise;
      expect(await end).toBeNull();
      expect(sent).toEqual({ chunks: [], ends: [] });
    }
  });
});
