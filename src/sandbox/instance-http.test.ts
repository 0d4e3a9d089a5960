import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHUNK_BYTES, FLAG_BROKEN, FLAG_LAST, FRAME, INITIAL_CREDIT_BYTES } from "../protocol/frame.ts";
import { httpHead, type Instance, Workshop } from "./testing-support/instance.ts";

let workshop: Workshop;
beforeAll(async () => {
  workshop = await Workshop.open();
});
afterAll(() => workshop.close());

function onHttp(handler: string): Promise<Instance> {
  return workshop.run(`import { fn, http } from "millrace";\nexport const f = fn({ on: http.any("/*") }, ${handler});`);
}

/** The body's chunks until the last or broken one. */
async function chunksOf(instance: Instance, call: number): Promise<{ sizes: number[]; text: string; flags: number }> {
  const last = await instance.frame(FRAME.responseChunk, call, ({ flags }) => flags !== 0);
  const chunks = instance.frames.filter((frame) => frame.type === FRAME.responseChunk && frame.call === call);
  return {
    sizes: chunks.map(({ body }) => body.length),
    text: Buffer.concat(chunks.map(({ body }) => body)).toString(),
    flags: last.flags,
  };
}

describe("http calls", () => {
  it("H1: a Request in, a Response out, with parameters and effects", async () => {
    const instance = await onHttp(`async (request, ctx) => {
      const order = await request.json();
      await ctx.emit("order.placed", order);
      const seen = [request.method, new URL(request.url).pathname, request.headers.get("x-a"), ctx.params.id];
      return Response.json({ order, seen }, { status: 202, headers: [["set-cookie", "a=1"], ["set-cookie", "b=2"]] });
    }`);
    const end = await instance.http(
      1,
      { method: "POST", url: "http://localhost:4800/orders/7", headers: ["X-A", "1"], params: { id: "7" } },
      '{"id":"ü"}',
    );
    expect(end.head).toEqual({
      status: 202,
      headers: ["set-cookie", "a=1", "set-cookie", "b=2", "content-type", "application/json"],
      effects: { emits: [{ type: "order.placed", id: expect.any(String), data: { id: "ü" } }], kv: [] },
    });
    expect(JSON.parse(end.body.toString())).toEqual({ order: { id: "ü" }, seen: ["POST", "/orders/7", "1", "7"] });
  });

  it("H2: both kinds of every class pass instanceof; undici's own are good answers", async () => {
    const instance = await onHttp(`async (request) => {
      const facts = [
        request instanceof Request, request.headers instanceof Headers, new Response() instanceof Response,
        new globalThis.Response() instanceof Response, new globalThis.Headers() instanceof Headers,
        new Request("http://x/") instanceof Request, new Request(request).url === request.url,
      ];
      return new globalThis.Response(JSON.stringify(facts), { status: 203, headers: { a: "1" } });
    }`);
    const end = await instance.http(1);
    expect(end.head).toMatchObject({ status: 203, stream: true });
    instance.send(FRAME.go, 1, null);
    expect(JSON.parse((await chunksOf(instance, 1)).text)).toEqual([true, true, true, true, true, true, true]);
  });

  it("H2: hello loads no undici: it would cost 50 ms and 15 MB", async () => {
    const instance = await onHttp(
      "async (request) => Response.json({ loaded: process.moduleLoadList.some((name) => name.includes('undici')), agent: request.headers.get('a') })",
    );
    expect(JSON.parse((await instance.http(1)).body.toString())).toEqual({ loaded: false, agent: null });
  });

  it("H2: a request can be handed on to fetch, and the answer of fetch back", async () => {
    const server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on("data", (piece: Buffer) => pieces.push(piece));
      request.on("end", () => {
        response.setHeader("content-encoding", "gzip");
        response.end(gzipSync(`${request.method} ${String(request.headers["x-a"])} ${Buffer.concat(pieces).toString()}`));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const instance = await onHttp("(request) => fetch(request)");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
    const end = await instance.http(1, { method: "POST", url, headers: ["x-a", "1"] }, "body");
    expect(end.head["headers"]).not.toContain("content-encoding");
    instance.send(FRAME.go, 1, null);
    expect((await chunksOf(instance, 1)).text).toBe("POST 1 body");
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it("H1: what cannot be sent ends in BadResult", async () => {
    const instance = await onHttp("() => () => 1");
    expect((await instance.http(1)).head).toMatchObject({ error: { name: "BadResult", message: expect.stringContaining("a function") } });
  });

  it("H1: a synchronous throw and a rejection end in threw", async () => {
    const instance = await onHttp(
      "(request) => { if (request.method === 'GET') throw new Error('now'); return Promise.reject(new Error('later')); }",
    );
    expect((await instance.http(1)).head).toMatchObject({ error: { message: "now" } });
    expect((await instance.http(2, { method: "POST" })).head).toMatchObject({ error: { message: "later" } });
  });
});

describe("streamed answers", () => {
  it("F7, F9: nothing before go, then at most the credit, in chunks of 64 KiB", async () => {
    const size = INITIAL_CREDIT_BYTES + 3 * CHUNK_BYTES;
    const instance = await onHttp(`() => "x".repeat(${size})`);
    expect((await instance.http(1)).head).toEqual({ status: 200, headers: ["content-type", "text/plain;charset=utf-8"], stream: true });
    instance.send(FRAME.go, 1, null);
    await instance.until(
      () =>
        instance.frames.filter((frame) => frame.type === FRAME.responseChunk).length === INITIAL_CREDIT_BYTES / CHUNK_BYTES || undefined,
      "the first credit's chunks",
    );
    instance.send(FRAME.responseCredit, 1, { bytes: size });
    const { sizes, flags } = await chunksOf(instance, 1);
    expect(sizes.reduce((sum, each) => sum + each, 0)).toBe(size);
    expect(Math.max(...sizes)).toBe(CHUNK_BYTES);
    expect(flags).toBe(FLAG_LAST);
  });

  it("H4: generators and streams flow; effects leave before", async () => {
    const instance = await onHttp(`async (request, ctx) => {
      await ctx.kv.set("a", 1);
      async function* parts() { yield "a"; console.log("flowing"); yield new Uint8Array([98]); }
      return request.method === "GET" ? new Response(parts(), { headers: { a: "1" } }) : ReadableStream.from(["c", "d"]);
    }`);
    expect((await instance.http(1)).head).toMatchObject({ effects: { kv: [{ op: "set", key: "a" }] }, headers: ["a", "1"], stream: true });
    instance.send(FRAME.go, 1, null);
    expect((await chunksOf(instance, 1)).text).toBe("ab");
    expect(instance.logs(1)[0]?.text).toBe("flowing");
    await instance.http(2, { method: "POST" });
    instance.send(FRAME.go, 2, null);
    expect((await chunksOf(instance, 2)).text).toBe("cd");
  });

  it("H4: one that throws midway ends broken and is logged", async () => {
    const instance = await onHttp("() => new Response((async function* () { yield 'a'; throw new Error('torn'); })())");
    await instance.http(1);
    instance.send(FRAME.go, 1, null);
    expect(await chunksOf(instance, 1)).toMatchObject({ text: "a", flags: FLAG_BROKEN });
    expect((await instance.frame(FRAME.log, 1)).body.toString()).toMatch(/broke off: Error: torn/);
  });

  it("H4: discard cancels the stream in its own context, and lets the instance stop", async () => {
    const instance = await onHttp(
      "() => new Response(new ReadableStream({ pull: () => new Promise(() => {}), cancel: () => console.log('cancelled') }))",
    );
    await instance.http(1);
    instance.send(FRAME.discard, 1, null);
    expect((await instance.frame(FRAME.log, 1)).body.toString()).toBe("cancelled");
    instance.send(FRAME.stop, 0, null);
    expect((await instance.exited).code).toBe(0);
  });
});

describe("streamed requests", () => {
  it("H5, F8: the body comes in pieces, with credit for what was taken", async () => {
    const instance = await onHttp("async (request) => (await request.text()).length");
    const end = instance.http(1, { method: "POST", stream: true }, "x".repeat(CHUNK_BYTES));
    expect((await instance.frame(FRAME.requestCredit, 1)).head).toEqual({ bytes: CHUNK_BYTES });
    instance.send(FRAME.requestChunk, 1, null, "y".repeat(10));
    instance.send(FRAME.requestChunk, 1, null, null, FLAG_LAST);
    expect((await end).body.toString()).toBe(String(CHUNK_BYTES + 10));
  });

  it("H5: it can be piped through, piece by piece", async () => {
    const instance = await onHttp(
      "(request) => new Response(request.body.pipeThrough(new TextDecoderStream()).pipeThrough(new TransformStream({ transform: (text, c) => c.enqueue(text.toUpperCase()) })).pipeThrough(new TextEncoderStream()))",
    );
    await instance.http(1, { method: "POST", stream: true }, "ab");
    instance.send(FRAME.go, 1, null);
    await instance.frame(FRAME.responseChunk, 1, ({ body }) => body.toString() === "AB");
    instance.send(FRAME.requestChunk, 1, null, "cd", FLAG_LAST);
    expect(await chunksOf(instance, 1)).toMatchObject({ text: "ABCD", flags: FLAG_LAST });
  });

  it("H5: reading throws when the client breaks off", async () => {
    const instance = await onHttp("async (request) => request.text()");
    instance.send(FRAME.http, 1, httpHead(1, { method: "POST", stream: true }), "ab");
    instance.send(FRAME.requestChunk, 1, null, null, FLAG_LAST | FLAG_BROKEN);
    expect((await instance.end(1)).head).toMatchObject({ error: { name: "TypeError", message: expect.stringContaining("broke off") } });
  });
});
