import { once } from "node:events";
import { request as httpRequest, type RequestOptions } from "node:http";
import { describe, expect, it } from "vitest";
import { MillraceError } from "../core/index.ts";
import { gateways } from "./testing-support/gateway-under-test.ts";
import { answered } from "./testing-support/scripted-delivery.ts";

const start = gateways();

/** A POST that goes on until its caller says so. */
function openRequest(url: string, options: RequestOptions = {}): ReturnType<typeof httpRequest> {
  const request = httpRequest(url, { method: "POST", ...options });
  request.on("error", () => {});
  return request;
}

async function readAll(body: unknown): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body as AsyncIterable<Uint8Array>) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe("what a function gets", () => {
  it("G9: method, absolute URL, parameters and headers as they came", async () => {
    const { delivery, raw } = await start();
    const client = raw();
    client.send("GET /get/a%20b?q=%22x%22&q=2 HTTP/1.1", "Host: shop.example:8080", "X-One: 1", "x-one: 2", "Accept: */*", "", "");
    await client.until("hello");
    expect(delivery.request).toMatchObject({ fn: "get", body: null, idempotencyKey: null });
    expect(delivery.request.head).toEqual({
      method: "GET",
      url: "http://shop.example:8080/get/a%20b?q=%22x%22&q=2",
      headers: ["Host", "shop.example:8080", "X-One", "1", "x-one", "2", "Accept", "*/*"],
      params: expect.objectContaining({ id: "a b" }),
    });
  });

  it("G9: no hop-by-hop headers, those that Connection names included", async () => {
    const { delivery, raw } = await start();
    const client = raw();
    const hops = [
      "Keep-Alive: 5",
      "TE: trailers",
      "Trailer: x",
      "Upgrade: h2c",
      "Proxy-Authorization: x",
      "PROXY-CONNECTION: x",
      "X-Hop: 1",
    ];
    client.send("GET /fn/ HTTP/1.1", "Host: a", "Connection: keep-alive, x-hop", ...hops, "X-Stay: 1", "", "");
    await client.until("hello");
    expect(delivery.request.head.headers).toEqual(["Host", "a", "X-Stay", "1"]);
  });

  it.each([
    ["the absolute form names the host", "GET http://other.example/fn/a?b HTTP/1.1", "http://other.example/fn/a?b"],
    ["a query may hold what a path may not", "GET /fn/a?b=\\ HTTP/1.1", "http://a/fn/a?b=\\"],
  ])("G9: %s", async (_what, line, url) => {
    const { delivery, raw } = await start();
    const client = raw();
    client.send(line, "Host: a", "", "");
    await client.until("hello");
    expect(delivery.request.head.url).toBe(url);
  });

  it("G9: an HTTP/1.0 client without a Host is answered under the gateway's own address", async () => {
    const { delivery, raw, url } = await start();
    const client = raw();
    client.send("GET /fn/a HTTP/1.0", "", "");
    expect(await client.end()).toContain("hello");
    expect(delivery.request.head.url).toBe(`${url}/fn/a`);
  });

  it.each([
    ["a host that is none", "GET /fn/a HTTP/1.1", "Host: a/b"],
    ["two hosts", "GET /fn/a HTTP/1.1", "Host: a\r\nhost: b"],
    ["a host with a user", "GET /fn/a HTTP/1.1", "Host: me@a"],
    ["a port that is none", "GET /fn/a HTTP/1.1", "Host: a:99999"],
    ["a back-slash in the path", "GET /fn/a\\b HTTP/1.1", "Host: a"],
    ["a fragment", "GET /fn/a#b HTTP/1.1", "Host: a"],
    ["bytes beyond ASCII", "GET /fn/\xe9 HTTP/1.1", "Host: a"],
    ["another scheme", "GET ftp://a/fn/ HTTP/1.1", "Host: a"],
    ["dots that lead up", "GET /fn/../get/1 HTTP/1.1", "Host: a"],
    ["encoded dots", "GET /fn/%2e%2e/get/1 HTTP/1.1", "Host: a"],
    ["a damaged encoding", "GET /get/%zz HTTP/1.1", "Host: a"],
  ])("G3, G9: 400 for %s", async (_what, line, host) => {
    const { delivery, raw, refusals } = await start();
    const client = raw();
    client.send(line, host, "", "");
    expect(await client.until('"bad_request"')).toMatch(/^HTTP\/1\.1 400 /);
    expect(delivery.requests).toEqual([]);
    expect(refusals).toEqual(["http bad_request"]);
  });

  it("G9: trailers of a request are dropped, and the connection goes on", async () => {
    const { delivery, raw } = await start();
    delivery.onHttp = ({ body, head }) => answered(`${Buffer.from((body ?? []) as Uint8Array).toString()} ${head.headers.join(",")}.`);
    const client = raw();
    client.send("POST /post HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "", "4", "body", "0", "X-Late: 1", "", "");
    expect(await client.until("body Host,a.")).not.toContain("Late");
    client.send("POST /post HTTP/1.1", "Host: a", "Content-Length: 5", "", "again");
    expect(await client.until("again Host,a,Content-Length,5.")).not.toContain("Late");
  });

  it("G10: a small body whole, however it comes", async () => {
    const { delivery, url } = await start();
    delivery.onHttp = ({ body }) => answered(body as Uint8Array);
    const known = await fetch(`${url}/post`, { method: "POST", body: "known length" });
    expect(await known.text()).toBe("known length");
    const chunked = openRequest(`${url}/post`);
    chunked.write("in ");
    chunked.end("chunks");
    const [answer] = (await once(chunked, "response")) as [AsyncIterable<Uint8Array>];
    expect((await readAll(answer)).toString()).toBe("in chunks");
    for (const { body } of delivery.requests) expect(body).toBeInstanceOf(Uint8Array);
  });

  it("G10: a body beyond collectBytes as a stream, whole and in order", async () => {
    const { delivery, url } = await start({ limits: { collectBytes: 10_000 } });
    delivery.onHttp = async ({ body }) => {
      expect(body).not.toBeInstanceOf(Uint8Array);
      return answered(await readAll(body));
    };
    const sent = Buffer.alloc(300_000, "0123456789abcdef");
    const known = await fetch(`${url}/post`, { method: "POST", body: sent });
    expect(Buffer.from(await known.arrayBuffer()).equals(sent)).toBe(true);
    const chunked = openRequest(`${url}/post`);
    for (let at = 0; at < sent.length; at += 7000) chunked.write(sent.subarray(at, at + 7000));
    chunked.end();
    const [answer] = (await once(chunked, "response")) as [AsyncIterable<Uint8Array>];
    expect((await readAll(answer)).equals(sent)).toBe(true);
  });

  it("G10: chunks that do not end are a conversation", async () => {
    const { delivery, url } = await start({ limits: { collectMs: 20 } });
    delivery.onHttp = ({ body }) => answered(body as AsyncIterable<Uint8Array>);
    const request = openRequest(`${url}/post`);
    request.write("ping");
    const [answer] = (await once(request, "response")) as [NodeJS.ReadableStream];
    expect(String((await once(answer, "data"))[0])).toBe("ping");
    request.write("pong");
    expect(String((await once(answer, "data"))[0])).toBe("pong");
    request.end();
    await once(answer, "end");
  });

  it("G11: a declared body over the limit is refused unread", async () => {
    const { delivery, url, refusals } = await start({ limits: { bodyBytes: 1000 } });
    const answer = await fetch(`${url}/post`, { method: "POST", body: "x".repeat(1001) });
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ error: { code: "too_large", message: "the request body is larger than 1000 B" } });
    expect(delivery.requests).toEqual([]);
    expect(refusals).toEqual(["http too_large"]);
    expect((await fetch(`${url}/post`, { method: "POST", body: "x".repeat(1000) })).status).toBe(200);
  });

  it("G11, G19: chunks that go over the limit are refused, and the client gets to read it", async () => {
    const { url } = await start({ limits: { bodyBytes: 1000 } });
    const request = openRequest(`${url}/post`);
    request.write("x".repeat(900));
    request.write("x".repeat(900));
    const [answer] = (await once(request, "response")) as [
      { statusCode: number; headers: Record<string, string> } & AsyncIterable<Uint8Array>,
    ];
    expect(answer.statusCode).toBe(413);
    expect(answer.headers.connection).toBe("close");
    expect((await readAll(answer)).toString()).toContain("too_large");
    request.destroy();
  });

  it("G11: a stream that goes over the limit breaks off for the function, and is 413 for the client", async () => {
    const { delivery, url } = await start({ limits: { bodyBytes: 50_000, collectBytes: 100 } });
    let seen: unknown;
    delivery.onHttp = async ({ body }) => {
      await readAll(body).catch((error: unknown) => (seen = error));
      return { kind: "failed", invocation: "inv-2", error: new MillraceError("function_failed", "it threw"), retryAfterMs: null };
    };
    const request = openRequest(`${url}/post`);
    request.write("x".repeat(40_000));
    request.write("x".repeat(40_000));
    const [answer] = (await once(request, "response")) as [{ statusCode: number; headers: Record<string, string> }];
    expect(answer.statusCode).toBe(413);
    expect(answer.headers["millrace-invocation"]).toBe("inv-2");
    expect(seen).toMatchObject({ code: "too_large" });
    request.destroy();
  });

  it("G11: headers over the limit are 431", async () => {
    const { raw, refusals } = await start();
    const client = raw();
    client.send("GET /fn/ HTTP/1.1", "Host: a", `X-Huge: ${"x".repeat(20_000)}`, "", "");
    const answer = await client.until("headers_too_large");
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(refusals).toEqual(["http headers_too_large"]);
  });

  it("G11: many small headers all arrive", async () => {
    const { delivery, raw } = await start();
    const client = raw();
    client.send("GET /fn/ HTTP/1.1", "Host: a", ...Array.from({ length: 2500 }, () => "a:"), "", "");
    await client.until("hello");
    expect(delivery.request.head.headers).toHaveLength(2 * 2501);
  });

  it("G11: 100-continue comes when the body is wanted", async () => {
    const { raw } = await start({ limits: { bodyBytes: 10 } });
    const client = raw();
    client.send("POST /post HTTP/1.1", "Host: a", "Expect: 100-continue", "Content-Length: 4", "", "");
    await client.until("HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body");
    expect(await client.until("hello")).toContain("HTTP/1.1 200 OK");
  });

  it("G11: and does not come when it is not", async () => {
    const { raw } = await start({ limits: { bodyBytes: 10 } });
    for (const [path, status] of [
      ["/post", 413],
      ["/none", 404],
    ] as const) {
      const client = raw();
      client.send(`POST ${path} HTTP/1.1`, "Host: a", "Expect: 100-continue", "Content-Length: 40", "", "");
      expect(await client.end()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    }
  });

  it("G13: a client that leaves aborts the call", async () => {
    const { delivery, raw } = await start();
    const aborted = Promise.withResolvers<void>();
    delivery.onHttp = async ({ signal }) => {
      signal?.addEventListener("abort", () => aborted.resolve());
      await aborted.promise;
      return answered("too late");
    };
    const client = raw();
    client.send("GET /fn/ HTTP/1.1", "Host: a", "", "");
    await expect.poll(() => delivery.requests.length).toBe(1);
    client.leave();
    await aborted.promise;
    expect(delivery.request.signal?.aborted).toBe(true);
  });

  it("G13: calls of a pipeline are aborted together", async () => {
    const { delivery, raw } = await start();
    delivery.onHttp = async ({ signal }) => {
      await new Promise((resolve) => signal?.addEventListener("abort", () => resolve(undefined)));
      return answered("too late");
    };
    const client = raw();
    client.send("GET /fn/1 HTTP/1.1", "Host: a", "", "GET /fn/2 HTTP/1.1", "Host: a", "", "");
    await expect.poll(() => delivery.requests.length).toBe(2);
    client.leave();
    await expect.poll(() => delivery.requests.map(({ signal }) => signal?.aborted)).toEqual([true, true]);
  });

  it("G13: nobody is called for a client that left in the middle of its body", async () => {
    const { delivery, raw, gateway } = await start();
    const client = raw();
    client.send("POST /post HTTP/1.1", "Host: a", "Content-Length: 10", "", "half");
    client.socket.end();
    await client.end();
    await gateway.stop();
    expect(delivery.requests).toEqual([]);
  });

  it.each([
    ["bare", "abc-123", "abc-123"],
    ["quoted", '"abc \\"1\\" \\\\"', 'abc "1" \\'],
    ["the longest", "k".repeat(255), "k".repeat(255)],
  ])("G14: the Idempotency-Key, %s", async (_what, header, key) => {
    const { delivery, url } = await start();
    await fetch(`${url}/post`, { method: "POST", headers: { "idempotency-key": header } });
    expect(delivery.request.idempotencyKey).toBe(key);
  });

  it("G14: is of no meaning where nothing is changed", async () => {
    const { delivery, url } = await start();
    await fetch(`${url}/get/1`, { headers: { "idempotency-key": "x" } });
    expect(delivery.request.idempotencyKey).toBeNull();
  });

  it.each([
    ["too long", ["k".repeat(256)]],
    ["empty", [""]],
    ["an empty string", ['""']],
    ["not closed", ['"abc']],
    ["not ASCII", ["\xe9"]],
    ["given twice", ["a", "b"]],
  ])("G14: 400 when it is %s", async (_what, values) => {
    const { delivery, raw } = await start();
    const client = raw();
    client.send("POST /post HTTP/1.1", "Host: a", ...values.map((value) => `Idempotency-Key: ${value}`), "Content-Length: 0", "", "");
    expect(await client.until("bad_request")).toMatch(/^HTTP\/1\.1 400 /);
    expect(delivery.requests).toEqual([]);
  });
});

describe("slow clients", () => {
  it("G12: a body that does not come is 408", async () => {
    const { raw, refusals } = await start({ limits: { progressMs: 60 } });
    const client = raw();
    client.send("POST /post HTTP/1.1", "Host: a", "Content-Length: 10", "", "half");
    expect(await client.until("request_timeout")).toMatch(/^HTTP\/1\.1 408 /);
    expect(refusals).toEqual(["http request_timeout"]);
  });

  it("G12: a body that comes by the byte is 408 too", async () => {
    const { raw } = await start({ limits: { progressMs: 60 } });
    const client = raw();
    client.send("POST /post HTTP/1.1", "Host: a", "Content-Length: 1000000", "", "");
    const drip = setInterval(() => client.send("x"), 5);
    const answer = await client.until("request_timeout").finally(() => clearInterval(drip));
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("G12: headers that do not end are 408", async () => {
    const { raw } = await start({ limits: { headersMs: 60 } });
    const client = raw();
    client.send("GET /fn/ HTTP/1.1", "Host: a", "X-");
    expect(await client.until("request_timeout")).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("G12: an answer that is not read loses its connection, and its stream is discarded", async () => {
    const { delivery, raw } = await start({ limits: { progressMs: 60 } });
    const discarded = Promise.withResolvers<void>();
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield Buffer.alloc(64 * 1024);
    }
    delivery.onHttp = () => answered(endless(), { discard: () => discarded.resolve() });
    const client = raw();
    client.socket.pause();
    client.send("GET /fn/ HTTP/1.1", "Host: a", "", "");
    await expect(discarded.promise).resolves.toBeUndefined();
  });

  it("G12: a function that takes its time with a body is not its client's fault", async () => {
    const { delivery, url } = await start({ limits: { progressMs: 40, collectBytes: 1000 } });
    delivery.onHttp = async ({ body }) => {
      const iterator = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
      await iterator.next();
      await new Promise((resolve) => {
        setTimeout(resolve, 200);
      });
      let bytes = 1;
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) bytes += next.value.length;
      return answered(bytes > 8_000_000 ? "all of it" : "a part");
    };
    const answer = await fetch(`${url}/post`, { method: "POST", body: Buffer.alloc(10_000_000) });
    expect(await answer.text()).toBe("all of it");
  });
});
