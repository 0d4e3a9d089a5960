import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { testApp, type TestApp } from "../../src/testing/index.ts";

let app: TestApp;
beforeAll(async () => {
  app = await testApp(join(import.meta.dirname, "hono-app"));
}, 60_000);
afterAll(() => app.stop());

it("H6: routes, parameters, queries and headers", async () => {
  expect(await (await app.request("/")).text()).toBe("root");
  const book = await app.request("/books/42?tag=a&tag=b", { headers: { "x-agent": "test" } });
  expect(book.headers.get("x-trail")).toBe("first");
  expect(await book.json()).toEqual({ isbn: "42", query: ["a", "b"], agent: "test" });
  expect(await (await app.request("/books/on%20water")).text()).toBe("title on water");
  const missing = await app.request("/nowhere");
  expect([missing.status, await missing.text()]).toEqual([404, "no /nowhere"]);
});

it("H6: middleware before and after the handler", async () => {
  const refused = await app.request("/guarded/room");
  expect([refused.status, refused.headers.get("www-authenticate"), await refused.text()]).toEqual([
    401,
    expect.stringMatching(/^Basic/),
    "Unauthorized",
  ]);
  const room = await app.request("/guarded/room", { headers: { authorization: `Basic ${btoa("ada:lovelace")}`, "x-request-id": "r-7" } });
  expect([room.headers.get("x-trail"), room.headers.get("x-request-id"), await room.json()]).toEqual(["first,room", "r-7", { id: "r-7" }]);

  const preflight = await app.request("/shared/a", {
    method: "OPTIONS",
    headers: { origin: "http://elsewhere.example", "access-control-request-method": "PUT" },
  });
  expect([
    preflight.status,
    preflight.headers.get("access-control-allow-methods"),
    preflight.headers.get("access-control-max-age"),
  ]).toEqual([204, "PUT", "60"]);
  const shared = await app.request("/shared/thing", { headers: { origin: "http://elsewhere.example" } });
  expect(shared.headers.get("access-control-allow-origin")).toBe("http://elsewhere.example");
  expect(shared.headers.get("x-frame-options")).toBe("SAMEORIGIN");
  expect(shared.headers.get("server-timing")).toMatch(/total/);
  expect([shared.headers.get("content-type"), await shared.text()]).toEqual(["text/html; charset=UTF-8", "<p>thing</p>"]);
});

it("H6: compression and ETags of whole answers", async () => {
  const packed = await app.request("/packed/text", { headers: { "accept-encoding": "gzip" } });
  expect(packed.headers.get("content-encoding")).toBe("gzip");
  expect(await packed.text()).toBe("again and again, ".repeat(1000));
  const tagged = await app.request("/tagged/text");
  const tag = tagged.headers.get("etag") ?? "";
  expect(tag).toMatch(/^"[0-9a-f]+"$/);
  const again = await app.request("/tagged/text", { headers: { "if-none-match": tag } });
  expect([again.status, again.headers.get("etag"), await again.text()]).toEqual([304, tag, ""]);
});

it("H6: the context is Hono's env: effects are one transaction with the answer", async () => {
  const put = await app.request("/books/1", { method: "PUT" });
  expect([put.status, put.headers.get("location")]).toEqual([201, "/books"]);
  expect(await put.json()).toEqual({ before: 0, invocation: put.headers.get("millrace-invocation") });
  expect(await (await app.request("/books/2", { method: "PUT" })).json()).toMatchObject({ before: 1 });
  expect((await app.emitted("book.kept")).map(({ data }) => data)).toEqual([{ isbn: "1" }, { isbn: "2" }]);
});

it("H6: JSON with a validator, forms of both kinds, files, clones, limits", async () => {
  const json = (body: unknown): RequestInit => ({
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });
  expect(await (await app.request("/checked", json({ age: 36 }))).json()).toEqual({ next: 37 });
  const unfit = await app.request("/checked", json({ age: "old" }));
  expect([unfit.status, await unfit.json()]).toEqual([422, { fault: "age is no number" }]);
  expect((await app.request("/checked", { ...json(0), body: "{" })).status).toBe(400);

  const form = new FormData();
  form.append("tag", "a");
  form.append("tag", "ü");
  form.append("file", new File(["the text"], "notes.txt", { type: "text/plain" }));
  expect(await (await app.request("/form", { method: "POST", body: form })).json()).toEqual({
    tag: ["a", "ü"],
    file: { name: "notes.txt", type: "text/plain", text: "the text" },
  });
  const fields = new URLSearchParams({ a: "1 2", b: "&" });
  expect(await (await app.request("/form", { method: "POST", body: fields })).json()).toEqual({ a: "1 2", b: "&", file: null });

  expect(await (await app.request("/twice", { method: "POST", body: "abc" })).json()).toEqual({ text: "abc", size: 3, blob: 3 });
  expect(await (await app.request("/small", { method: "POST", body: "short" })).text()).toBe("short");
  expect((await app.request("/small", { method: "POST", body: "longer than ten" })).status).toBe(413);
});

it("H6: cookies, plain, signed and deleted", async () => {
  const first = await app.request("/cookies");
  const set = first.headers.getSetCookie();
  expect(set).toEqual(["plain=1; Path=/; HttpOnly", expect.stringMatching(/^signed=two\.\S+; Path=\/$/), "old=; Max-Age=0; Path=/"]);
  const cookie = set
    .slice(0, 2)
    .map((each) => each.split(";")[0])
    .join("; ");
  expect(await (await app.request("/cookies", { headers: { cookie } })).json()).toEqual({ plain: "1", signed: "two" });
});

it("H6: streams out, and a body that comes back as it went in", async () => {
  expect(new Uint8Array(await (await app.request("/pieces")).arrayBuffer())).toEqual(new Uint8Array([1, 2, ...Buffer.from("rest")]));
  expect(await (await app.request("/lines")).text()).toBe("one\ntwo\n");
  const large = Buffer.alloc(3_000_000, "0123456789");
  expect(Buffer.from(await (await app.request("/echo", { method: "POST", body: large })).arrayBuffer()).equals(large)).toBe(true);
});

it("H6: server-sent events come one by one, and the sender hears when its reader leaves", async () => {
  const left = new AbortController();
  const events = await app.request("/events/a", { signal: left.signal });
  expect(events.headers.get("content-type")).toBe("text/event-stream");
  const reader = (events.body as ReadableStream<Uint8Array>).getReader();
  for (let n = 0; n < 3; n++) {
    const { value } = await reader.read();
    expect(Buffer.from(value ?? []).toString()).toBe(`event: tick\ndata: {"n":${n}}\nid: ${n}\n\n`);
    expect((await app.request("/events/a", { method: "POST" })).status).toBe(204);
  }
  left.abort();
  await expect.poll(async () => (await app.logs("site")).map(({ text }) => text)).toContain("the reader of a has left");
});

it("H6: HEAD, redirects, answers without a body, errors", async () => {
  const head = await app.request("/books/42", { method: "HEAD" });
  expect([head.status, head.headers.get("content-type"), await head.text()]).toEqual([200, "application/json", ""]);
  const moved = await app.request("/moved");
  expect([moved.status, moved.headers.get("location")]).toEqual([301, "/books/7"]);
  const unchanged = await app.request("/unchanged");
  expect([unchanged.status, await unchanged.text()]).toEqual([304, ""]);
  const forbidden = await app.request("/forbidden");
  expect([forbidden.status, await forbidden.text()]).toEqual([403, "not for you"]);
  const broken = await app.request("/broken");
  expect([broken.status, await broken.json()]).toEqual([500, { error: "out of order" }]);
});
