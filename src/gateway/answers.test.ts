import { describe, expect, it } from "vitest";
import { MillraceError } from "../core/index.ts";
import { gateways } from "./testing-support/gateway-under-test.ts";
import { answered } from "./testing-support/scripted-delivery.ts";

const start = gateways();

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

describe("answers", () => {
  it("G15: status, reason, headers and Set-Cookie each on its own", async () => {
    const { delivery, raw } = await start();
    const headers = ["X-Case", "1", "set-cookie", "a=1", "Set-Cookie", "b=2", "Connection", "x", "Transfer-Encoding", "chunked"];
    delivery.onHttp = () => answered("made", { status: 201, statusText: "Made It", headers });
    const client = raw();
    client.send("GET /fn/ HTTP/1.1", "Host: a", "", "");
    const answer = await client.until("made");
    expect(answer.replace(/Date: .*\r\n/, "")).toBe(
      [
        "HTTP/1.1 201 Made It",
        "X-Case: 1",
        "set-cookie: a=1",
        "Set-Cookie: b=2",
        "millrace-invocation: inv-1",
        "content-length: 4",
        "Connection: keep-alive",
        "Keep-Alive: timeout=60",
        "",
        "made",
      ].join("\r\n"),
    );
  });

  it("G15: every byte arrives as it was, in small answers and large ones", async () => {
    const { delivery, url } = await start();
    for (const sizeBytes of [0, 1, 256, 4096, 4097, 70_000, 1_000_000]) {
      const sent = Buffer.from(Array.from({ length: sizeBytes }, (_, i) => (i * 7) % 256));
      delivery.onHttp = () => answered(sent);
      const answer = await fetch(`${url}/fn/`);
      expect(answer.headers.get("content-length")).toBe(String(sizeBytes));
      expect(Buffer.from(await answer.arrayBuffer()).equals(sent)).toBe(true);
    }
  });

  it("G15: a stream, with the length that the function says or in chunks", async () => {
    const { delivery, url } = await start();
    delivery.onHttp = () => answered(pieces("one ", "two"), { headers: ["content-length", "7"] });
    const known = await fetch(`${url}/fn/`);
    expect([known.headers.get("content-length"), await known.text()]).toEqual(["7", "one two"]);
    delivery.onHttp = () => answered(pieces("one ", "two"));
    const chunked = await fetch(`${url}/fn/`);
    expect([chunked.headers.get("transfer-encoding"), await chunked.text()]).toEqual(["chunked", "one two"]);
  });

  it("G15: the head of a stream leaves before its first piece", async () => {
    const { delivery, raw } = await start();
    const first = Promise.withResolvers<Uint8Array>();
    async function* later(): AsyncGenerator<Uint8Array> {
      yield await first.promise;
    }
    delivery.onHttp = () => answered(later());
    const client = raw();
    client.send("GET /fn/ HTTP/1.1", "Host: a", "", "");
    await client.until("\r\n\r\n");
    first.resolve(Buffer.from("at last"));
    expect(await client.until("at last")).toMatch(/at last/);
  });

  it.each([
    ["a header with a line break", { headers: ["x", "a\r\nb: c"] }],
    ["a header that is no name", { headers: ["a b", "c"] }],
    ["a reason with a line break", { statusText: "a\nb" }],
    ["a status that is no answer's", { status: 101 }],
    ["a status beyond all", { status: 1000 }],
  ])("G15: %s is 500 bad_result", async (_what, head) => {
    const { delivery, url } = await start();
    delivery.onHttp = () => answered("x", head);
    const answer = await fetch(`${url}/fn/`);
    expect(answer.status).toBe(500);
    expect(answer.headers.get("millrace-invocation")).toBe("inv-1");
    expect(await answer.json()).toMatchObject({ error: { code: "bad_result" } });
  });

  it("G16: HEAD has the length of GET and no body", async () => {
    const { delivery, raw } = await start();
    const client = raw();
    client.send("HEAD /get/1 HTTP/1.1", "Host: a", "", "GET /get/1 HTTP/1.1", "Host: a", "", "");
    const answer = await client.until("hello");
    expect(answer.match(/content-length: 5/g)).toHaveLength(2);
    expect(answer.match(/hello/g)).toHaveLength(1);
    expect(delivery.requests.map(({ head }) => head.method)).toEqual(["HEAD", "GET"]);
  });

  it("G16: HEAD keeps the length that a function says, and discards a stream", async () => {
    const { delivery, url } = await start();
    let discarded = 0;
    delivery.onHttp = () => answered(pieces("never sent"), { headers: ["content-length", "10"], discard: () => discarded++ });
    const streamed = await fetch(`${url}/get/1`, { method: "HEAD" });
    expect([streamed.headers.get("content-length"), discarded]).toEqual(["10", 1]);
    delivery.onHttp = () => answered("", { headers: ["content-length", "77"] });
    expect((await fetch(`${url}/get/1`, { method: "HEAD" })).headers.get("content-length")).toBe("77");
  });

  it.each([204, 304])("G16: %d has no body and no length", async (status) => {
    const { delivery, raw } = await start();
    delivery.onHttp = () => answered("body", { status, headers: ["content-length", "4"] });
    const client = raw();
    client.send("GET /fn/ HTTP/1.1", "Host: a", "Connection: close", "", "");
    const answer = await client.end();
    expect(answer).toMatch(/\r\n\r\n$/);
    expect(answer.toLowerCase()).not.toContain("content-length");
  });

  it.each([
    ["fails", { headers: [] as string[], fails: true }],
    ["is shorter than it said", { headers: ["content-length", "100"], fails: false }],
    ["is longer than it said", { headers: ["content-length", "3"], fails: false }],
  ])("G17: a stream that %s breaks the connection", async (_what, { headers, fails }) => {
    const { delivery, url } = await start();
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("a part");
      if (fails) throw new Error("broken");
    }
    delivery.onHttp = () => answered(body(), { headers });
    const read = async (): Promise<string> => (await fetch(`${url}/fn/`)).text();
    await expect(read()).rejects.toThrow("terminated");
  });

  it("G13: a client that leaves has the rest of its stream discarded", async () => {
    const { delivery, raw } = await start();
    const discarded = Promise.withResolvers<void>();
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("first");
      await discarded.promise;
    }
    delivery.onHttp = () => answered(body(), { discard: () => discarded.resolve() });
    const client = raw();
    client.send("GET /fn/ HTTP/1.1", "Host: a", "", "");
    await client.until("first");
    client.leave();
    await expect(discarded.promise).resolves.toBeUndefined();
  });

  it("G18: a failed call is an error with its invocation", async () => {
    const { delivery, url } = await start();
    const error = new MillraceError("conflict", "too many conflicts");
    delivery.onHttp = () => ({ kind: "failed", invocation: "inv-9", error, retryAfterMs: 1500 });
    const answer = await fetch(`${url}/fn/`);
    expect([answer.status, answer.headers.get("retry-after"), answer.headers.get("millrace-invocation")]).toEqual([503, "2", "inv-9"]);
    expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(await answer.json()).toEqual({
      error: { code: "conflict", message: "too many conflicts", cure: error.cure, invocation: "inv-9" },
    });
  });

  it("G18: a repeated answer says so", async () => {
    const { delivery, url } = await start();
    delivery.onHttp = () => answered("again", { replayed: true });
    expect((await fetch(`${url}/fn/`)).headers.get("idempotent-replayed")).toBe("true");
  });

  it("G18: what was never foreseen is 500 internal, without a word of its inside", async () => {
    const { delivery, url } = await start();
    delivery.onHttp = () => Promise.reject(new Error("secret"));
    const answer = await fetch(`${url}/fn/`);
    expect(answer.status).toBe(500);
    const text = await answer.text();
    expect(text).toContain('"internal"');
    expect(text).not.toContain("secret");
  });

  it("G19: a function may answer before its client has sent everything", async () => {
    const { raw } = await start({ limits: { collectBytes: 10 } });
    const client = raw();
    client.send("POST /post HTTP/1.1", "Host: a", "Content-Length: 1000000", "", "x".repeat(1000));
    const answer = await client.until("hello");
    expect(answer).toContain("connection: close");
    client.send("x".repeat(999_000));
    expect(await client.end()).toMatch(/hello$/);
  });

  it("G19: a refused request with a short body does not cost its connection, one with a long body does", async () => {
    const { raw } = await start();
    const client = raw();
    client.send("POST /none HTTP/1.1", "Host: a", "Content-Length: 5", "", "xxxxxGET /fn/ HTTP/1.1", "Host: a", "", "");
    expect(await client.until("hello")).toMatch(/^HTTP\/1\.1 404 [^]*HTTP\/1\.1 200 /);
    const other = raw();
    other.send("POST /none HTTP/1.1", "Host: a", "Content-Length: 500000", "", "xxxxx");
    expect(await other.end()).toMatch(/^HTTP\/1\.1 404 [^]*connection: close/);
  });

  it("answers of a pipeline leave in the order of its requests", async () => {
    const { delivery, raw } = await start();
    const last = Promise.withResolvers<void>();
    delivery.onHttp = async ({ head }) => {
      if (head.url.endsWith("/3")) last.resolve();
      else await last.promise;
      return answered(`<${head.url.slice(-1)}>`);
    };
    const client = raw();
    for (const n of [1, 2, 3]) client.send(`GET /fn/${n} HTTP/1.1`, "Host: a", "", "");
    const answer = await client.until("<3>");
    expect(answer.match(/<\d>/g)).toEqual(["<1>", "<2>", "<3>"]);
  });
});

describe("methods and paths without a function", () => {
  it.each([
    ["PUT", "/post", 405, "OPTIONS, POST"],
    ["GET", "/post", 405, "OPTIONS, POST"],
    ["DELETE", "/get/1", 405, "GET, HEAD, OPTIONS"],
    ["OPTIONS", "/get/1", 204, "GET, HEAD, OPTIONS"],
    ["OPTIONS", "/none", 404, null],
    ["GET", "/none", 404, null],
    ["GET", "/_/nothing", 404, null],
    ["TRACE", "/fn/x", 405, "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"],
  ])("G5: %s %s is %d", async (method, path, status, allow) => {
    const { raw, delivery } = await start();
    const client = raw();
    client.send(`${method} ${path} HTTP/1.1`, "Host: a", "Connection: close", "", "");
    const answer = await client.end();
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(/^allow: (.*)\r$/m.exec(answer)?.[1] ?? null).toBe(allow);
    if (status !== 204) expect(answer).toContain(status === 405 ? '"method_not_allowed"' : '"not_found"');
    expect(delivery.requests).toEqual([]);
  });

  it("G5: a function may take OPTIONS itself, and methods that nobody has heard of", async () => {
    const { delivery, url } = await start();
    await fetch(`${url}/fn/x`, { method: "OPTIONS" });
    await fetch(`${url}/fn/x`, { method: "PROPFIND" });
    expect(delivery.requests.map(({ head }) => head.method)).toEqual(["OPTIONS", "PROPFIND"]);
  });

  it("G5: OPTIONS * is about the server", async () => {
    const { raw } = await start();
    const client = raw();
    client.send("OPTIONS * HTTP/1.1", "Host: a", "Connection: close", "", "");
    expect(await client.end()).toMatch(/^HTTP\/1\.1 204 [^]*\r\nallow: /);
  });

  it("G5: HEAD of nothing is 404 without a body", async () => {
    const { raw } = await start();
    const client = raw();
    client.send("HEAD /none HTTP/1.1", "Host: a", "Connection: close", "", "");
    expect(await client.end()).toMatch(/^HTTP\/1\.1 404 [^]*\r\n\r\n$/);
  });

  it("what is no HTTP is 400", async () => {
    const { raw, refusals } = await start();
    const client = raw();
    client.send("hello there", "", "");
    expect(await client.end()).toMatch(/^HTTP\/1\.1 400 [^]*"bad_request"/);
    expect(refusals).toEqual(["http bad_request"]);
  });
});
