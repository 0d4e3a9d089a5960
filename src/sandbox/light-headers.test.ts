import { describe, expect, it } from "vitest";
import { fromRawHeaders, LightHeaders } from "./light-headers.ts";

describe("LightHeaders", () => {
  it("H2: gives what undici's Headers give", () => {
    const init: [string, string][] = [
      ["X-B", "2"],
      ["Set-Cookie", "a=1"],
      ["x-a", " 1 "],
      ["x-b", "3"],
      ["set-cookie", "b=2"],
    ];
    const [light, real] = [new LightHeaders(init), new Headers(init)];
    const both = (look: (headers: Headers | LightHeaders) => unknown): void => expect(look(light)).toEqual(look(real));
    both((headers) => [...headers]);
    both((headers) => [...headers.keys()]);
    both((headers) => [...headers.values()]);
    both((headers) => headers.getSetCookie());
    both((headers) => ["x-b", "X-A", "set-cookie", "none"].map((name) => [headers.get(name), headers.has(name)]));
    for (const headers of [light, real]) {
      headers.set("X-B", "9");
      headers.append("x-c", "1");
      headers.delete("Set-Cookie");
    }
    both((headers) => [...headers.entries()]);
    const seen: unknown[] = [];
    light.forEach((value, name) => seen.push([name, value]));
    expect(seen).toEqual([...real]);
  });

  it("H2: is made of objects, pairs and other Headers", () => {
    const expected = [["a", "1"]];
    for (const init of [{ A: "1" }, [["a", "1"]] as [string, string][], new Headers({ a: "1" }), new LightHeaders({ a: "1" })])
      expect([...new LightHeaders(init)]).toEqual(expected);
    expect([...new Headers(new LightHeaders({ a: "1" }))]).toEqual(expected);
    expect([...new LightHeaders()]).toEqual([]);
  });

  it("H2: both kinds are instances; a subclass is its own", () => {
    class Mine extends LightHeaders {}
    expect(new LightHeaders()).toBeInstanceOf(LightHeaders);
    expect(new Headers()).toBeInstanceOf(LightHeaders);
    expect(new Mine()).toBeInstanceOf(Mine);
    for (const other of [{}, null, 1, new Map()]) expect(other instanceof LightHeaders).toBe(false);
    expect(new LightHeaders() instanceof Mine).toBe(false);
  });

  it("H2: refuses what would split an answer in two", () => {
    expect(() => new LightHeaders({ a: "1\r\nset-cookie: x" })).toThrow(TypeError);
    expect(() => new LightHeaders({ a: "\u20ac" })).toThrow(TypeError);
    expect(() => new LightHeaders({ "a b": "1" })).toThrow("no header name");
    expect(() => new LightHeaders({ "": "1" })).toThrow(TypeError);
    expect(() => Reflect.construct(LightHeaders, [[["a"]]])).toThrow("pair");
  });

  it("H3: raw headers keep every line; cookies of a request join with a semicolon", () => {
    const headers = LightHeaders.over(fromRawHeaders(["Accept", "a", "Cookie", "x=1", "accept", "b", "cookie", "y=2"]));
    expect(headers.get("accept")).toBe("a, b");
    expect(headers.get("cookie")).toBe("x=1; y=2");
  });
});
