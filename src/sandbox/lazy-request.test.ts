import { describe, expect, it } from "vitest";
import { type BodyOrigin, LazyRequest, RequestClass, unwrap } from "./lazy-request.ts";
import { RequestBody } from "./request-body.ts";

const HEAD = {
  method: "POST",
  url: "http://localhost:4800/orders?a=1",
  headers: ["Content-Type", "application/json", "Cookie", "a=1"],
  params: {},
};

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(text));
}

function request(origin: BodyOrigin, head: object = {}): LazyRequest {
  return new LazyRequest({ ...HEAD, ...head }, origin, () => new AbortController().signal);
}

function pieces(...texts: string[]): { body: RequestBody; granted: number[] } {
  const granted: number[] = [];
  const body = new RequestBody((bytes) => granted.push(bytes));
  texts.forEach((text, i) => body.push(bytesOf(text), i === texts.length - 1, false));
  return { body, granted };
}

const ORIGINS: [string, (text: string) => BodyOrigin][] = [
  ["whole", (text) => bytesOf(text)],
  ["in pieces", (text) => pieces(text.slice(0, 3), text.slice(3)).body],
];

describe.each(ORIGINS)("a request whose body comes %s", (_name, origin) => {
  it("H2: is read in every way", async () => {
    const text = '{"a":"ü"}';
    expect(await request(origin(text)).text()).toBe(text);
    expect(await request(origin(text)).json()).toEqual({ a: "ü" });
    expect(await request(origin(text)).bytes()).toEqual(bytesOf(text));
    expect((await request(origin(text)).arrayBuffer()).byteLength).toBe(10);
    expect(await (await request(origin(text)).blob()).text()).toBe(text);
    expect(await new Response(request(origin(text)).body).text()).toBe(text);
    expect(await request(origin(`\ufeff${text}`)).text()).toBe(text);
  });

  it("H2: is read once", async () => {
    const once = request(origin("{}"));
    expect(once.bodyUsed).toBe(false);
    await once.text();
    expect(once.bodyUsed).toBe(true);
    await expect(once.json()).rejects.toThrow("already read");
    expect(() => once.clone()).toThrow("already read");
    const streamed = request(origin("{}"));
    await streamed.body?.getReader().read();
    expect(streamed.bodyUsed).toBe(true);
    await expect(streamed.text()).rejects.toThrow("already read");
  });

  it("H2: a clone has a body of its own", async () => {
    const first = request(origin('{"a":1}'));
    const second = first.clone();
    second.headers.set("x", "1");
    expect(first.headers.has("x")).toBe(false);
    expect(await first.json()).toEqual({ a: 1 });
    expect(await second.json()).toEqual({ a: 1 });
  });

  it("H2: forms are parsed", async () => {
    const headers = ["content-type", "application/x-www-form-urlencoded"];
    expect((await request(origin("name=a+b"), { headers }).formData()).get("name")).toBe("a b");
  });

  it("H2: becomes undici's, to be handed on", async () => {
    const lazy = request(origin('{"a":1}'));
    const real = unwrap(lazy) as Request;
    expect(real).toBeInstanceOf(Request);
    expect([real.method, real.url, real.headers.get("cookie")]).toEqual(["POST", HEAD.url, "a=1"]);
    expect(await real.json()).toEqual({ a: 1 });
    expect(lazy.bodyUsed).toBe(true);
  });
});

describe("LazyRequest", () => {
  it("H2: has method, url and headers", () => {
    const { method, url, headers } = request(null);
    expect([method, url, headers.get("CONTENT-TYPE")]).toEqual(["POST", HEAD.url, "application/json"]);
  });

  it("H2: without a body there is none, however often it is read", async () => {
    const none = request(null, { method: "GET" });
    expect(none.body).toBeNull();
    expect(await none.text()).toBe("");
    expect(await none.clone().text()).toBe("");
    expect((unwrap(none) as Request).method).toBe("GET");
  });

  it("H2: has the other attributes that undici's has", () => {
    const real = new Request("http://localhost/");
    const lazy = request(null);
    for (const name of [
      "cache",
      "credentials",
      "destination",
      "duplex",
      "integrity",
      "keepalive",
      "mode",
      "redirect",
      "referrer",
      "referrerPolicy",
    ] as const)
      expect([name, lazy[name]]).toEqual([name, real[name]]);
  });

  it("H2: the class Request makes real ones, of lazy ones too, and can be extended", async () => {
    const made: unknown = new RequestClass(request(bytesOf("{}")), { headers: { a: "1" } });
    expect(made).toBeInstanceOf(Request);
    expect((made as Request).headers.get("a")).toBe("1");
    class Mine extends RequestClass {
      own(): string {
        return String(Reflect.get(this, "url"));
      }
    }
    const mine = new Mine("http://localhost/x");
    expect(mine.own()).toBe("http://localhost/x");
    expect(mine).toBeInstanceOf(Mine);
    for (const each of [made, mine, request(null), new Request("http://localhost/")]) expect(each).toBeInstanceOf(RequestClass);
    for (const other of [{}, null, "x"]) expect(other instanceof RequestClass).toBe(false);
  });
});

describe("a body in pieces", () => {
  it("H5: gives credit for what was taken, not for what has come", async () => {
    const { body, granted } = pieces();
    body.push(bytesOf("abc"), false, false);
    body.push(bytesOf("de"), false, false);
    expect(granted).toEqual([]);
    await body.next();
    expect(granted).toEqual([3]);
  });

  it("H5: waits for the next piece, and throws when the client broke off", async () => {
    const { body } = pieces();
    const next = body.next();
    body.push(bytesOf("abc"), false, false);
    expect(await next).toEqual(bytesOf("abc"));
    const broken = body.next();
    body.push(bytesOf(""), true, true);
    await expect(broken).rejects.toThrow("broke off");
  });
});
