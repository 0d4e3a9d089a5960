import { describe, expect, it } from "vitest";
import { LightResponse, type LightResponseInit } from "./light-response.ts";

type Made = Response | LightResponse;

/** What both classes offer, as loosely as JavaScript calls it. */
interface ResponseClass {
  new (body?: unknown, init?: LightResponseInit | null): Made;
  json(data: unknown, init?: LightResponseInit | null): Made;
  redirect(url: string, status?: number): Made;
}

const undiciResponse: unknown = Response;
const REAL = undiciResponse as ResponseClass;

async function shown(response: Made): Promise<unknown> {
  return {
    status: response.status,
    statusText: response.statusText,
    ok: response.ok,
    type: response.type,
    redirected: response.redirected,
    headers: [...(response.headers as Iterable<unknown>)],
    text: await response.text(),
    used: response.bodyUsed,
  };
}

describe("LightResponse", () => {
  it.each<[string, (C: ResponseClass) => Made]>([
    ["nothing", (C) => new C()],
    ["null with a status", (C) => new C(null, { status: 204 })],
    ["text", (C) => new C("hi", { statusText: "Fine" })],
    ["text with its own type", (C) => new C("<p>", { headers: { "Content-Type": "text/html" } })],
    ["bytes", (C) => new C(new Uint8Array([104, 105]))],
    ["a part of a buffer", (C) => new C(new DataView(new TextEncoder().encode("xhix").buffer, 1, 2))],
    ["an ArrayBuffer", (C) => new C(new TextEncoder().encode("hi").buffer)],
    ["URLSearchParams", (C) => new C(new URLSearchParams({ a: "1 2" }))],
    ["a Blob", (C) => new C(new Blob(["hi"], { type: "text/css" }))],
    ["a stream", (C) => new C(new Blob(["hi"]).stream())],
    ["a number", (C) => new C(7)],
    ["json", (C) => C.json({ a: [1] }, { status: 201 })],
    ["json with its own type", (C) => C.json(null, { headers: { "content-type": "application/problem+json" } })],
    ["a redirect", (C) => C.redirect("https://example.com/a", 307)],
    [
      "several cookies",
      (C) =>
        new C(null, {
          headers: [
            ["set-cookie", "a=1"],
            ["set-cookie", "b=2"],
          ],
        }),
    ],
  ])("H2: made of %s it is as undici's", async (_name, make) => {
    expect(await shown(make(LightResponse))).toEqual(await shown(make(REAL)));
  });

  it.each<[string, (C: ResponseClass) => unknown]>([
    ["a status below 200", (C) => new C("", { status: 101 })],
    ["a status above 599", (C) => new C("", { status: 600 })],
    ["a body with 204", (C) => new C("", { status: 204 })],
    ["a body with 304", (C) => C.json({}, { status: 304 })],
    ["a bad statusText", (C) => new C("", { statusText: "a\nb" })],
    ["a redirect with 200", (C) => C.redirect("https://example.com/", 200)],
    ["json of a function", (C) => C.json(() => 1)],
  ])("H2: %s is refused as undici refuses it", (_name, make) => {
    const thrownBy = (C: ResponseClass): unknown => {
      try {
        make(C);
      } catch (error) {
        return (error as Error).name;
      }
      return "nothing";
    };
    expect(thrownBy(LightResponse)).toBe(thrownBy(REAL));
  });

  it("H2: reads its own body in every way, once", async () => {
    expect(await LightResponse.json({ a: 1 }).json()).toEqual({ a: 1 });
    expect(await new LightResponse("hi").bytes()).toEqual(new TextEncoder().encode("hi"));
    expect((await new LightResponse("hi").arrayBuffer()).byteLength).toBe(2);
    expect((await new LightResponse("hi").blob()).type).toBe("text/plain;charset=utf-8");
    expect((await new LightResponse(new URLSearchParams({ a: "1" })).formData()).get("a")).toBe("1");
    const form = new FormData();
    form.set("b", "2");
    expect((await new LightResponse(form).formData()).get("b")).toBe("2");
    expect(new LightResponse().body).toBeNull();
    const once = new LightResponse("hi");
    await once.text();
    await expect(once.text()).rejects.toThrow(TypeError);
  });

  it("H2: a clone has a body of its own", async () => {
    for (const body of ["hi", new Blob(["hi"]).stream(), new Blob(["hi"])]) {
      const response = new LightResponse(body, { status: 201, headers: { a: "1" } });
      const copy = response.clone();
      copy.headers.set("a", "2");
      expect(await response.text()).toBe("hi");
      expect(await copy.text()).toBe("hi");
      expect([copy.status, response.headers.get("a")]).toEqual([201, "1"]);
    }
  });

  it("H2: headers can be changed after it was made", () => {
    const response = LightResponse.json({});
    response.headers.append("set-cookie", "a=1");
    expect(LightResponse.partsOf(response)?.headers).toEqual(["content-type", "application/json", "set-cookie", "a=1"]);
  });

  it("H2: both kinds are instances; a subclass is its own", () => {
    class Mine extends LightResponse {}
    expect(new LightResponse()).toBeInstanceOf(LightResponse);
    expect(new Response()).toBeInstanceOf(LightResponse);
    expect(new Mine("x")).toBeInstanceOf(Mine);
    expect(LightResponse.partsOf(new Mine("x"))?.body).toBe("x");
    expect(new LightResponse() instanceof Mine).toBe(false);
    for (const other of [{}, null, "x", { [Symbol.toStringTag]: "Response" }]) expect(other instanceof LightResponse).toBe(false);
  });
});
