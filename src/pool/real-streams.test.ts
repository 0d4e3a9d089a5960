import { afterAll, beforeAll, expect, it } from "vitest";
import type { HttpAnswer } from "./pool.ts";
import { type RealApp, realApp } from "./testing-support/real-app.ts";
import { httpCall } from "./testing-support/scripted-instance.ts";

const SOURCE = `
  import { fn, http } from "millrace";
  export const echo = fn({ on: http.post("/echo") }, async (request) => new Response(request.body));
  export const count = fn({ on: http.post("/count") }, async (request) => String((await request.arrayBuffer()).byteLength));
  export const endless = fn({ on: http.get("/endless") }, async () => {
    let n = 0;
    return new Response(new ReadableStream({ pull(c) { c.enqueue(new TextEncoder().encode("line " + n++ + "\\n")); } }));
  });
`;

let app: RealApp;
beforeAll(async () => {
  app = await realApp(SOURCE, { echo: {}, count: {}, endless: {} });
});
afterAll(() => app.close());

async function answerOf(fn: string, body: Uint8Array | AsyncIterable<Uint8Array> | null): Promise<HttpAnswer> {
  const head = { method: body === null ? "GET" : "POST", url: `http://localhost/${fn}`, headers: [], params: {} };
  const outcome = await app.pool.call(httpCall(fn, { head, body }));
  if (outcome.kind !== "returned" || outcome.response === null) throw new Error(JSON.stringify(outcome));
  return outcome.response;
}

async function bytesOf({ body }: HttpAnswer): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body);
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* pieces(count: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) yield Buffer.alloc(50_000, i);
}

it("F7, F8: three megabytes go in and come out again, piece by piece", async () => {
  const body = await bytesOf({ head: { status: 200, statusText: "", headers: [] }, body: pieces(60), discard: () => {} });
  expect(await bytesOf(await answerOf("echo", pieces(60)))).toEqual(body);
  expect(await bytesOf(await answerOf("echo", body))).toEqual(body);
  expect((await bytesOf(await answerOf("count", body))).toString()).toBe(String(body.length));
  expect(app.pool.stats().running).toBe(0);
});

it("F7: an endless answer ends when its reader has had enough", async () => {
  const { body } = await answerOf("endless", null);
  if (body instanceof Uint8Array) throw new Error("no stream");
  let text = "";
  for await (const piece of body) {
    text += Buffer.from(piece).toString();
    if (text.length > 500_000) break;
  }
  expect(text).toMatch(/^line 0\nline 1\n/);
  expect(app.pool.stats().running).toBe(0);
  // The instance goes on with the next call.
  expect((await bytesOf(await answerOf("count", Buffer.from("four")))).toString()).toBe("4");
});
