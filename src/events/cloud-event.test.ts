import { describe, expect, it } from "vitest";
import { canonicalJson, MAX_DEPTH } from "./canonical-json.ts";
import { type CloudEvent, isReservedType, parseCloudEvent } from "./cloud-event.ts";
import { faultText } from "./event-fault.ts";

const MINIMAL = { specversion: "1.0", id: "1", source: "/shop", type: "order.placed" };

function parsed(members: Record<string, unknown>): CloudEvent {
  const result = parseCloudEvent({ ...MINIMAL, ...members });
  if (!result.ok) throw new Error(result.faults.map(faultText).join("; "));
  return result.event;
}

function faults(value: unknown): string[] {
  const result = parseCloudEvent(value);
  return result.ok ? [] : result.faults.map(faultText);
}

function faultsWith(members: Record<string, unknown>): string[] {
  return faults({ ...MINIMAL, ...members });
}

/** A JSON document, so that `__proto__` is a key like any other. */
function json(text: string): unknown {
  return JSON.parse(text);
}

describe("the attributes of the core", () => {
  it("E1: the smallest event is taken as it is", () => {
    expect(parsed({})).toEqual(MINIMAL);
  });

  it("E1, E9: each missing attribute is named, all at once", () => {
    expect(faults({})).toEqual([
      "specversion: is required, but is missing",
      "id: is required, but is missing",
      "source: is required, but is missing",
      "type: is required, but is missing",
    ]);
  });

  it.each(["specversion", "id", "source", "type"])("E1: %s may be neither empty, null nor a number", (name) => {
    expect(faultsWith({ [name]: "" })).toEqual([`${name}: must not be empty`]);
    expect(faultsWith({ [name]: null })).toEqual([`${name}: is required, but is missing`]);
    expect(faultsWith({ [name]: 1 })).toEqual([`${name}: must be a string, but is the number 1`]);
  });

  it.each(["subject", "time", "datacontenttype", "dataschema"])("E1: %s is a string that is not empty, if it is set", (name) => {
    expect(faultsWith({ [name]: "" })).toEqual([`${name}: must not be empty`]);
    expect(faultsWith({ [name]: ["x"] })).toEqual([`${name}: must be a string, but is an array`]);
  });

  it("E1: another version is not supported", () => {
    expect(faultsWith({ specversion: "0.3" })).toEqual(['specversion: "0.3" is not supported, only "1.0" is']);
  });

  it.each([
    [null, "null"],
    [[], "an array"],
    ["order", 'the string "order"'],
    [7, "the number 7"],
    [undefined, "missing"],
  ])("E1: %j is no event", (value, words) => {
    expect(faults(value)).toEqual([`event: must be a JSON object, but is ${words}`]);
  });

  it("E3: null attributes are absent, null data is data", () => {
    expect(parsed({ subject: null, time: null, datacontenttype: null, dataschema: null, partitionkey: null, data_base64: null })).toEqual(
      MINIMAL,
    );
    expect(parsed({ data: null })).toEqual({ ...MINIMAL, datacontenttype: "application/json", data: null });
  });

  it("E6: a time that is none is named with its words", () => {
    expect(faultsWith({ time: "yesterday" })).toEqual(['time: "yesterday" is no RFC 3339 timestamp']);
    expect(parsed({ time: "2026-01-31T12:00:00+05:30" }).time).toBe("2026-01-31T12:00:00+05:30");
    expect(parsed({})).not.toHaveProperty("time");
  });

  it("E7: source, dataschema and datacontenttype have forms", () => {
    expect(faultsWith({ source: "my shop" })).toEqual(['source: "my shop" is no URI-reference (RFC 3986)']);
    expect(faultsWith({ dataschema: "schemas/order" })).toEqual(['dataschema: "schemas/order" is no absolute URI (RFC 3986)']);
    expect(faultsWith({ datacontenttype: "json" })).toEqual(['datacontenttype: "json" is no media type']);
    expect(parsed({ dataschema: "https://example.com/s#/$defs/order" }).dataschema).toBe("https://example.com/s#/$defs/order");
  });
});

describe("names and extensions", () => {
  it.each(["orderId", "order_id", "order-id", "bestellnümmer", "a.b"])("E2: the name %s is not allowed", (name) => {
    const [fault, ...more] = faultsWith({ [name]: "x" });
    expect(more).toEqual([]);
    expect(fault).toContain(name);
    expect(fault).toContain("only lower-case letters a–z and digits");
  });

  it("E2: neither is the empty one nor __proto__, also when they are null", () => {
    expect(faultsWith({ "": null })).toHaveLength(1);
    expect(faults(json(`{"specversion":"1.0","id":"1","source":"/s","type":"t","__proto__":{"polluted":true}}`))).toEqual([
      "__proto__: no attribute may have this name: only lower-case letters a–z and digits may stand in one",
    ]);
  });

  it("E2: long names, and names that objects inherit, are taken", () => {
    const event = parsed({ averyveryverylongextensionname: "x", constructor: "y" });
    expect(event).toEqual({ ...MINIMAL, averyveryverylongextensionname: "x", constructor: "y" });
  });

  it("E4: strings, booleans and whole numbers of 32 bits", () => {
    const extensions = { a: "", b: true, c: false, d: 0, e: -2_147_483_648, f: 2_147_483_647 };
    expect(parsed(extensions)).toEqual({ ...MINIMAL, ...extensions });
  });

  it.each([
    [2_147_483_648, "must be a whole number of 32 bits, but is 2147483648"],
    [-2_147_483_649, "must be a whole number of 32 bits, but is -2147483649"],
    [1.5, "must be a whole number of 32 bits, but is 1.5"],
    [{ a: 1 }, "must be a string, a whole number or a boolean, but is an object"],
    [["a"], "must be a string, a whole number or a boolean, but is an array"],
  ])("E4: %j is no extension's value", (value, cause) => {
    expect(faultsWith({ ext: value })).toEqual([`ext: ${cause}`]);
  });

  it("E4: extensions that the platform reads are strings", () => {
    expect(faultsWith({ partitionkey: 5 })).toEqual(["partitionkey: must be a string, but is the number 5"]);
    expect(faultsWith({ partitionkey: "" })).toEqual(["partitionkey: must not be empty"]);
    expect(faultsWith({ traceparent: true })).toEqual(["traceparent: must be a string, but is true"]);
  });

  it.each([
    ["\n", "holds the control character U+000A"],
    ["\u009f", "holds the control character U+009F"],
    ["\ud800x", "holds half of a surrogate pair, U+D800"],
    ["\ufdd0", "holds U+FDD0, which is no character"],
    ["\u{1fffe}", "holds U+1FFFE, which is no character"],
  ])("E5: %j may not stand in a string", (text, cause) => {
    expect(faultsWith({ id: `a${text}` })).toEqual([`id: ${cause}`]);
    expect(faultsWith({ ext: `a${text}` })).toEqual([`ext: ${cause}`]);
  });

  it("E5: all other characters may", () => {
    expect(parsed({ subject: "Zoë 😀 日本" }).subject).toBe("Zoë 😀 日本");
  });

  it("E9: faults are cut: sixteen of them, and 64 characters of a text", () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`Bad${i}`, "x"]));
    expect(faultsWith(many)).toHaveLength(16);
    expect(faultsWith({ time: "x".repeat(1_000_000) })[0]).toBe(`time: "${"x".repeat(64)}…" is no RFC 3339 timestamp`);
  });
});

describe("data", () => {
  it("E8: one form of data, not two", () => {
    expect(faultsWith({ data: 1, data_base64: "AA==" })).toEqual([
      "data_base64: must not stand beside data: an event has one or the other",
    ]);
  });

  it.each(["A", "AA", "AA=", "A A=", "AAAA\n", "_-__", "AB=="])("E8: %j is no base64", (text) => {
    expect(faultsWith({ data_base64: text })).toEqual(["data_base64: is no base64 by RFC 4648, section 4"]);
  });

  it("E8: base64 is a string", () => {
    expect(faultsWith({ data_base64: 5 })).toEqual(["data_base64: must be a string, but is the number 5"]);
  });

  it("E12: bytes of a JSON or text type become the value they are", () => {
    const base64 = (text: string): string => Buffer.from(text).toString("base64");
    expect(parsed({ datacontenttype: "application/json", data_base64: base64('{"a":1}') }).data).toEqual({ a: 1 });
    expect(parsed({ datacontenttype: "text/plain", data_base64: base64("Zoë") }).data).toBe("Zoë");
    expect(parsed({ datacontenttype: "text/plain", data_base64: "/w==" })).toMatchObject({ data_base64: "/w==" });
    expect(faultsWith({ datacontenttype: "application/json", data_base64: base64("{") })[0]).toContain("data_base64: must hold JSON");
  });

  it("E12: a string of another type becomes the bytes it is", () => {
    const event = parsed({ datacontenttype: "application/octet-stream", data: "Zoë" });
    expect(event.data_base64).toBe(Buffer.from("Zoë").toString("base64"));
    expect(event).not.toHaveProperty("data");
  });

  it("E12: what is no string is no text", () => {
    expect(faultsWith({ datacontenttype: "text/plain", data: { a: 1 } })).toEqual([
      "data: must be a string when datacontenttype is text/plain, but is an object",
    ]);
    expect(faultsWith({ datacontenttype: "text/plain", data: "\ud800" })).toHaveLength(1);
    expect(faultsWith({ datacontenttype: "text/plain; charset=iso-8859-1", data: "x" })[0]).toContain("must be given as data_base64");
  });

  it("E13: data without a type is JSON, and says so", () => {
    expect(parsed({ data: "text" })).toEqual({ ...MINIMAL, datacontenttype: "application/json", data: "text" });
    expect(parsed({ data_base64: "AA==" })).toEqual({ ...MINIMAL, data_base64: "AA==" });
  });

  it("E14: no bytes are no data, empty text is", () => {
    expect(parsed({ data_base64: "" })).toEqual(MINIMAL);
    expect(parsed({ datacontenttype: "text/plain", data: "" }).data).toBe("");
  });

  it("E16: hostile keys in data stay data", () => {
    const text = `{"specversion":"1.0","id":"1","source":"/s","type":"t","datacontenttype":"application/json","data":{"__proto__":{"polluted":true},"toJSON":1,"constructor":{"prototype":{}}}}`;
    const result = parseCloudEvent(json(text));
    expect(result.ok && canonicalJson(result.event)).toBe(text);
    expect({}).not.toHaveProperty("polluted");
  });
});

describe("the canonical text", () => {
  it("E11: attributes stand in a fixed order, extensions by name", () => {
    const event = parsed({ zeta: 1, data: { b: 1, a: 2 }, alpha: true, dataschema: "urn:s", time: "2026-01-31T12:00:00Z", subject: "s" });
    expect(canonicalJson(event)).toBe(
      '{"specversion":"1.0","id":"1","source":"/shop","type":"order.placed","subject":"s","time":"2026-01-31T12:00:00Z","datacontenttype":"application/json","dataschema":"urn:s","alpha":true,"zeta":1,"data":{"b":1,"a":2}}',
    );
  });

  it("E15: depth has an end", () => {
    const nested = (levels: number): unknown => json(`${'[{"a\\"[":'.repeat(levels / 2)}1${"}]".repeat(levels / 2)}`);
    expect(canonicalJson(parsed({ data: nested(MAX_DEPTH - 2) }))).toBeTypeOf("string");
    expect(canonicalJson(parsed({ data: nested(MAX_DEPTH) }))).toBeUndefined();
    expect(canonicalJson(parsed({ data: nested(100_000) }))).toBeUndefined();
    expect(canonicalJson(parsed({ data: ["[[[[".repeat(MAX_DEPTH), '"[{\\'.repeat(MAX_DEPTH)] }))).toBeTypeOf("string");
  });
});

describe("reserved types", () => {
  it.each(["millrace", "Millrace", "millrace.", "millrace.delivery.dead", "MILLRACE.x"])("E10: %s is the platform's own", (type) => {
    expect(isReservedType(type)).toBe(true);
  });

  it.each(["millraces", "millrac", "millrace-x", "x.millrace.y", "order.placed", "m", ""])("E10: %j is anybody's", (type) => {
    expect(isReservedType(type)).toBe(false);
  });
});
