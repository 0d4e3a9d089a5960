import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "./canonical-json.ts";
import { type CloudEvent, parseCloudEvent } from "./cloud-event.ts";
import { decodeHeaderValue, encodeHeaderValue } from "./header-value.ts";
import { type Decoded, decodeHttp, encodeBinaryBody, encodeBinaryHeaders, type IncomingEvent, type Refused } from "./http-binding.ts";

const LIMITS = { maxEventBytes: 1024 * 1024 };
const STRUCTURED = { "content-type": "application/cloudevents+json; charset=UTF-8" };
const BATCHED = { "content-type": "application/cloudevents-batch+json" };
const HEADERS = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/shop", "ce-type": "order.placed" };
const MINIMAL = { specversion: "1.0", id: "1", source: "/shop", type: "order.placed" };

const structured = (value: unknown, limits = LIMITS): Decoded => decodeHttp(STRUCTURED, Buffer.from(JSON.stringify(value)), limits);
const batch = (value: unknown, limits: Parameters<typeof decodeHttp>[2] = LIMITS): Decoded =>
  decodeHttp(BATCHED, Buffer.from(JSON.stringify(value)), limits);
const binary = (headers: Record<string, string | string[]>, body: string | Uint8Array = "", limits = LIMITS): Decoded =>
  decodeHttp({ host: "localhost", ...HEADERS, ...headers }, Buffer.from(body), limits);

function taken(decoded: Decoded): readonly IncomingEvent[] {
  if (decoded.kind === "refused") throw new Error(`${decoded.code}: ${decoded.message}`);
  return decoded.events;
}

function only(decoded: Decoded): CloudEvent {
  const [incoming, ...more] = taken(decoded);
  if (incoming === undefined || more.length > 0) throw new Error("not one event");
  return incoming.event;
}

function refusal(decoded: Decoded): Refused {
  if (decoded.kind !== "refused") throw new Error("was taken");
  return decoded;
}

describe("the three modes", () => {
  it("E11, E17, E18: give the same text for the same event", () => {
    const event = {
      ...MINIMAL,
      subject: "Zoë",
      time: "2026-01-31T12:00:00Z",
      datacontenttype: "application/json; charset=utf-8",
      dataschema: "https://example.com/order",
      partitionkey: "sku 1",
      zone: "eu",
      data: { name: "Zoë 😀", list: [1, null, "x"] },
    };
    const shuffled = Object.fromEntries(Object.entries(event).reverse());
    const body = JSON.stringify(event.data, null, 2);
    const inHeaders = {
      "ce-zone": "eu",
      "ce-subject": "Zo%C3%AB",
      "ce-time": event.time,
      "content-type": event.datacontenttype,
      "ce-dataschema": event.dataschema,
      "ce-partitionkey": "sku%201",
    };
    const texts = [binary(inHeaders, body), structured(shuffled), batch([shuffled])].map((decoded) => taken(decoded)[0]?.json);
    expect(new Set(texts)).toEqual(new Set([JSON.stringify(event)]));
  });

  it.each(["application/xml", "image/png", "text/csv", undefined])("E11, E12: also when the data is %s", (datacontenttype) => {
    const type = datacontenttype === undefined ? {} : { datacontenttype };
    const base64 = Buffer.from("<a>ä</a>").toString("base64");
    const fromBody = binary(datacontenttype === undefined ? {} : { "content-type": datacontenttype }, "<a>ä</a>");
    expect(taken(structured({ ...MINIMAL, ...type, data_base64: base64 }))).toEqual(taken(fromBody));
  });

  it.each(["application/xml", "image/png", "text/csv"])("E12: and when %s is sent as a string", (datacontenttype) => {
    const inBody = binary({ "content-type": datacontenttype }, "<a>ä</a>");
    expect(taken(structured({ ...MINIMAL, datacontenttype, data: "<a>ä</a>" }))).toEqual(taken(inBody));
  });

  it("E17: structured mode looks at no ce-* header", () => {
    const decoded = decodeHttp({ ...STRUCTURED, "ce-id": "other", "ce-Bad": "%" }, Buffer.from(JSON.stringify(MINIMAL)), LIMITS);
    expect(only(decoded)).toEqual(MINIMAL);
    expect(decoded.kind).toBe("one");
  });

  it.each([
    "application/cloudevents",
    "application/cloudevents+avro",
    "application/cloudevents-batch+protobuf",
    "application/cloudevents+json; charset=utf-16",
    'application/cloudevents-batch+json; charset="latin1"',
  ])("E17: %s is not supported, even with ce-* headers", (type) => {
    expect(refusal(binary({ "content-type": type }, JSON.stringify(MINIMAL))).code).toBe("unsupported_media_type");
  });

  it("E17: a request without any sign of an event is none", () => {
    const decoded = decodeHttp({ "content-type": "application/json" }, Buffer.from("{}"), LIMITS);
    expect(refusal(decoded)).toMatchObject({ code: "unsupported_media_type", details: [] });
    expect(refusal(decodeHttp({}, new Uint8Array(), LIMITS)).code).toBe("unsupported_media_type");
  });
});

describe("binary mode", () => {
  it("E12, E14: the data has the form of its content type", () => {
    expect(only(binary({ "content-type": "application/json" }, "null")).data).toBeNull();
    expect(only(binary({ "content-type": "application/problem+json" }, '"x"')).data).toBe("x");
    expect(only(binary({ "content-type": "text/plain" }, "Zoë")).data).toBe("Zoë");
    expect(only(binary({ "content-type": "text/plain" }, Buffer.from([0xff]))).data_base64).toBe("/w==");
    expect(only(binary({ "content-type": "text/plain; charset=iso-8859-1" }, "x")).data_base64).toBe("eA==");
    expect(only(binary({ "content-type": "image/png" }, Buffer.from([0, 255])))).toMatchObject({ data_base64: "AP8=" });
    expect(only(binary({}, "x"))).toEqual({ ...MINIMAL, data_base64: "eA==" });
    expect(only(binary({ "content-type": "application/json" }))).toEqual({ ...MINIMAL, datacontenttype: "application/json" });
    expect(only(binary({}))).toEqual(MINIMAL);
  });

  it("E18: an event without id, source or type names each", () => {
    const decoded = refusal(decodeHttp({ "ce-specversion": "1.0" }, new Uint8Array(), LIMITS));
    const reasons = ["id", "source", "type"].map((name) => `${name}: is required, but is missing`);
    expect(decoded).toEqual({ kind: "refused", code: "bad_event", message: reasons.join("; "), details: [{ index: 0, reasons }] });
  });

  it.each(["ce-datacontenttype", "ce-data", "ce-data_base64"])("E18: %s is no header of an event", (header) => {
    expect(refusal(binary({ [header]: "text/plain" })).message).toContain(`${header.slice(3)}: has no ce- header`);
  });

  it.each(["ce-order-id", "ce-order_id", "ce-", "ce-__proto__"])("E2, E18: %s names no attribute", (header) => {
    expect(refusal(binary({ [header]: "x" }))).toMatchObject({ code: "bad_event" });
  });

  it("E18: a header that was sent more than once, or a content type that is none", () => {
    expect(refusal(binary({ "ce-subject": ["a", "b"] })).message).toBe("subject: was sent more than once");
    expect(refusal(binary({ "content-type": "json" })).message).toBe('datacontenttype: "json" is no media type');
  });

  it.each([
    ["Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"],
    ["%e2%82%ac", "€"],
    ["%41bc", "Abc"],
    ["100%25", "100%"],
    ['"a b"', "a b"],
    [String.raw`"a \"b\" \\ c"`, String.raw`a "b" \ c`],
    ['"%20"', " "],
    ["a b", "a b"],
    [String.raw`a\b`, String.raw`a\b`],
  ])("E19: %s reads as %s", (raw, value) => {
    expect(only(binary({ "ce-subject": raw })).subject).toBe(value);
  });

  it.each(["%", "%4", "%zz", "100%", "%C0%A0", "%ED%A0%80", "%ff", '"open', 'a"b', "Zoë"])("E19: %s is damaged", (raw) => {
    const { code, details } = refusal(binary({ "ce-subject": raw }));
    expect(code).toBe("bad_event");
    expect(details[0]?.reasons).toEqual([expect.stringMatching(/^subject: its header /)]);
  });

  it("E9, E19: a damaged header is no missing attribute, and hides no other fault", () => {
    const { details } = refusal(binary({ "ce-id": "%", "ce-time": "now" }));
    expect(details[0]?.reasons).toEqual([
      expect.stringMatching(/^id: its header holds a percent sign/),
      'time: "now" is no RFC 3339 timestamp',
    ]);
  });

  it("E5, E19: what was percent-encoded is checked too", () => {
    expect(refusal(binary({ "ce-subject": "a%0Ab" })).message).toBe("subject: holds the control character U+000A");
  });

  it("E20: extensions are strings", () => {
    expect(only(binary({ "ce-count": "5", "ce-flag": "true" }))).toMatchObject({ count: "5", flag: "true" });
  });
});

describe("bad bodies", () => {
  it.each(["{", '{"a":}', "[1,", "nonsense", "\u0000"])("E22: %j is no JSON", (text) => {
    expect(refusal(decodeHttp(STRUCTURED, Buffer.from(text), LIMITS))).toMatchObject({ code: "bad_json" });
    expect(refusal(decodeHttp(BATCHED, Buffer.from(text), LIMITS))).toMatchObject({ code: "bad_json" });
    expect(refusal(binary({ "content-type": "application/json" }, text))).toMatchObject({ code: "bad_json" });
  });

  it("E22: neither is an empty body", () => {
    for (const headers of [STRUCTURED, BATCHED]) expect(refusal(decodeHttp(headers, new Uint8Array(), LIMITS)).code).toBe("bad_json");
  });

  it("E22: neither is what is not UTF-8", () => {
    const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(refusal(decodeHttp(STRUCTURED, body, LIMITS)).message).toBe("the body is not valid JSON: it is not in UTF-8");
    expect(refusal(binary({ "content-type": "application/json" }, body)).code).toBe("bad_json");
  });

  it("E9, E22: a bad event is a bad event, whatever its body", () => {
    expect(refusal(binary({ "content-type": "application/json", "ce-time": "now" }, "{")).code).toBe("bad_event");
  });

  it("E1: JSON that is no event", () => {
    expect(refusal(structured([MINIMAL]))).toMatchObject({ code: "bad_event", message: "event: must be a JSON object, but is an array" });
    expect(refusal(structured({ ...MINIMAL, time: "yesterday" })).message).toBe('time: "yesterday" is no RFC 3339 timestamp');
  });

  it("E15: data that is too deep", () => {
    const deep = `{"specversion":"1.0","id":"1","source":"/s","type":"t","data":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    expect(refusal(decodeHttp(STRUCTURED, Buffer.from(deep), LIMITS))).toMatchObject({
      code: "bad_event",
      message: "data: is nested deeper than 500 levels",
    });
  });

  it("E16: of two equal keys the last wins", () => {
    const text = '{"specversion":"1.0","id":"1","id":"2","source":"/s","type":"t"}';
    expect(only(decodeHttp(STRUCTURED, Buffer.from(text), LIMITS)).id).toBe("2");
  });

  it("E23: size is measured as UTF-8 of the canonical text, to the byte", () => {
    const event = { ...MINIMAL, datacontenttype: "application/json", data: "é".repeat(500) };
    const bytes = Buffer.byteLength(JSON.stringify(event));
    const spaced = Buffer.from(JSON.stringify(event, null, 20));
    expect(decodeHttp(STRUCTURED, spaced, { maxEventBytes: bytes }).kind).toBe("one");
    const { code, message } = refusal(decodeHttp(STRUCTURED, spaced, { maxEventBytes: bytes - 1 }));
    expect(code).toBe("too_large");
    expect(message).toContain(`(${bytes} bytes) of JSON`);
    expect(refusal(binary({ "content-type": "image/png" }, Buffer.alloc(900_000))).code).toBe("too_large");
  });

  it("E24: the platform's own types cannot be sent", () => {
    for (const decoded of [structured({ ...MINIMAL, type: "Millrace.delivery.dead" }), binary({ "ce-type": "millrace" })]) {
      const { code, message } = refusal(decoded);
      expect(code).toBe("reserved_type");
      expect(message).toContain("`millrace.*` is the platform's own");
    }
  });
});

describe("batches", () => {
  it("E25: may be empty, and keep their order", () => {
    expect(batch([])).toEqual({ kind: "batch", events: [] });
    const ids = taken(
      batch([
        { ...MINIMAL, id: "c" },
        { ...MINIMAL, id: "a" },
        { ...MINIMAL, id: "b" },
      ]),
    ).map(({ event }) => event.id);
    expect(ids).toEqual(["c", "a", "b"]);
  });

  it("E25: are arrays", () => {
    expect(refusal(batch(MINIMAL))).toMatchObject({ code: "bad_batch", details: [] });
  });

  it("E25: are refused whole, with the index and the reasons of every bad event", () => {
    const bad = [
      MINIMAL,
      null,
      { ...MINIMAL, id: "2", time: "yesterday", subject: "" },
      { ...MINIMAL, id: "3" },
      { ...MINIMAL, id: "4", type: "millrace.x" },
      { ...MINIMAL, id: "5", data: "x".repeat(2000) },
    ];
    const { code, message, details } = refusal(batch(bad, { maxEventBytes: 1000 }));
    expect(code).toBe("bad_batch");
    expect(message).toBe("4 of the batch's 6 events cannot be taken; the first, event 1: event: must be a JSON object, but is null");
    expect(details).toEqual([
      { index: 1, reasons: ["event: must be a JSON object, but is null"] },
      { index: 2, reasons: ["subject: must not be empty", 'time: "yesterday" is no RFC 3339 timestamp'] },
      { index: 4, reasons: ['type: "millrace.x" cannot be sent: `millrace.*` is the platform\'s own'] },
      { index: 5, reasons: [expect.stringContaining("of JSON, and at most 1000 B (1000 bytes) are taken")] },
    ]);
  });

  it("E25: are too large or of a reserved type when that is all that is wrong", () => {
    const large = { ...MINIMAL, id: "2", data: "x".repeat(2000) };
    expect(refusal(batch([MINIMAL, large], { maxEventBytes: 1000 }))).toMatchObject({ code: "too_large", details: [{ index: 1 }] });
    const reserved = { ...MINIMAL, type: "millrace.x" };
    expect(refusal(batch([MINIMAL, reserved]))).toMatchObject({ code: "reserved_type", details: [{ index: 1 }] });
    expect(refusal(batch([large, reserved], { maxEventBytes: 1000 })).code).toBe("bad_batch");
  });

  it("E25: have a length that ends", () => {
    const limits = { ...LIMITS, maxBatchEvents: 2 };
    expect(taken(batch([MINIMAL, MINIMAL], limits))).toHaveLength(2);
    expect(refusal(batch([MINIMAL, MINIMAL, MINIMAL], limits))).toMatchObject({ code: "too_large", details: [] });
  });

  it("E26: cannot hold one id with two contents, but exact repeats", () => {
    const repeat = { type: "order.placed", source: "/shop", id: "1", specversion: "1.0" };
    expect(taken(batch([MINIMAL, repeat]))).toHaveLength(2);
    expect(taken(batch([MINIMAL, { ...MINIMAL, source: "/other", data: 1 }]))).toHaveLength(2);
    const { code, details } = refusal(batch([MINIMAL, { ...MINIMAL, id: "2" }, { ...MINIMAL, data: 1 }]));
    expect(code).toBe("bad_batch");
    expect(details).toEqual([{ index: 2, reasons: ['id: "1" of source "/shop" is also that of event 0, which has other content'] }]);
  });
});

// What the rules let an event be: the generator speaks the sender's language, E12 to E14 and E20 included.
const character = fc
  .string({ unit: "binary", minLength: 1, maxLength: 1 })
  .filter((one) => parseCloudEvent({ ...MINIMAL, subject: one }).ok);
const attributeText = fc.string({ unit: character, minLength: 1, maxLength: 20 });
const path = fc.webPath().filter((text) => text !== "");
const name = fc
  .string({ unit: fc.constantFrom("a", "b", "y", "z", "0", "9"), minLength: 1, maxLength: 24 })
  .filter((text) => !/^\d+$/.test(text) && !["id", "data"].includes(text));
const data = fc.oneof(
  fc.record({
    datacontenttype: fc.constantFrom("application/json", "application/x+json; v=1"),
    data: fc.jsonValue({ noUnicodeString: false }),
  }),
  fc.record({ datacontenttype: fc.constantFrom("text/plain", "application/xml"), data: fc.string({ unit: "binary" }) }),
  fc.record({ datacontenttype: fc.constantFrom("image/png", "application/octet-stream"), data_base64: base64() }),
  fc.record({ data_base64: base64() }),
  fc.constant({}),
);
const time = fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }).map((date) => date.toISOString());
const optional = fc.record({ subject: attributeText, time, dataschema: fc.webUrl(), partitionkey: attributeText }, { requiredKeys: [] });
const typed = fc.dictionary(name, fc.oneof(attributeText, fc.boolean(), fc.integer()), { noNullPrototype: true });
const untyped = fc.dictionary(name, attributeText, { noNullPrototype: true });

function base64(): fc.Arbitrary<string> {
  return fc.uint8Array({ minLength: 1, maxLength: 50 }).map((bytes) => Buffer.from(bytes).toString("base64"));
}

function eventWith(extensions: fc.Arbitrary<Record<string, unknown>>): fc.Arbitrary<CloudEvent> {
  return fc
    .tuple(extensions, fc.record({ id: attributeText, source: path, type: attributeText }), optional, data)
    .map((parts) => parseCloudEvent(Object.assign({ specversion: "1.0" }, ...parts)))
    .map((result) => {
      if (!result.ok) throw new Error(JSON.stringify(result.faults));
      return result.event;
    })
    .filter((event) => !event.type.toLowerCase().startsWith("millrace"));
}

describe("there and back", () => {
  it("E21: an event in binary mode", () => {
    fc.assert(
      fc.property(eventWith(untyped), (event) => {
        const headers = encodeBinaryHeaders(event);
        expect(Object.values(headers).every((value) => /^[\x20-\x7e]*$/.test(value))).toBe(true);
        expect(taken(decodeHttp(headers, encodeBinaryBody(event), LIMITS))).toEqual([roundTrip(event)]);
      }),
    );
  });

  it("E21: an event in structured and batched mode", () => {
    fc.assert(
      fc.property(eventWith(typed), (event) => {
        const text = canonicalJson(event) ?? "";
        expect(taken(decodeHttp(STRUCTURED, Buffer.from(text), LIMITS))).toEqual([roundTrip(event)]);
        expect(taken(decodeHttp(BATCHED, Buffer.from(`[${text}]`), LIMITS))).toEqual([roundTrip(event)]);
      }),
    );
  });

  it("E20, E21: typed extensions lose their type in headers, and nothing else", () => {
    const event = only(structured({ ...MINIMAL, count: 5, flag: true, data: 1 }));
    expect(encodeBinaryHeaders(event)).toMatchObject({ "ce-count": "5", "ce-flag": "true", "content-type": "application/json" });
    expect(only(decodeHttp(encodeBinaryHeaders(event), encodeBinaryBody(event), LIMITS))).toEqual({ ...event, count: "5", flag: "true" });
  });

  it("E21: an event that was not brought into normal form says its implied type", () => {
    const event = { ...MINIMAL, specversion: "1.0", data: { a: 1 } } as const;
    expect(encodeBinaryHeaders(event)["content-type"]).toBe("application/json");
    expect(Buffer.from(encodeBinaryBody(event)).toString()).toBe('{"a":1}');
  });

  it("E19, E21: a header value", () => {
    expect(encodeHeaderValue("Euro € 😀")).toBe("Euro%20%E2%82%AC%20%F0%9F%98%80");
    expect(encodeHeaderValue('!"#$%&~\u007f')).toBe("!%22#$%25&~%7F");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        expect(decodeHeaderValue(encodeHeaderValue(value))).toEqual({ ok: true, value });
      }),
    );
  });
});

/** JSON has no -0: the event as its own text says it. */
function roundTrip(event: CloudEvent): IncomingEvent {
  const text = canonicalJson(event) ?? "";
  const read: CloudEvent = JSON.parse(text);
  return { event: read, json: text };
}

describe("damage", () => {
  const anyHeaders = fc.dictionary(
    fc.oneof(fc.constantFrom(...Object.keys(HEADERS), "content-type", "ce-time", "ce-__proto__", "ce-constructor"), fc.string()),
    fc.oneof(
      fc.constantFrom("1.0", "application/json", "application/cloudevents+json", "application/cloudevents-batch+json", "%ff", '"'),
      fc.string({ unit: "binary" }),
      fc.array(fc.string()),
      fc.constant(undefined),
    ),
  );

  it("E27: any headers and any bytes get an answer", () => {
    fc.assert(
      fc.property(anyHeaders, fc.uint8Array(), fc.boolean(), (headers, body, whole) => {
        const decoded = decodeHttp(whole ? { ...HEADERS, ...headers } : headers, body, LIMITS);
        expect(["one", "batch", "refused"]).toContain(decoded.kind);
      }),
      { numRuns: 1000 },
    );
  });

  it("E27: any JSON gets an answer", () => {
    const near = fc.record(
      {
        specversion: fc.constantFrom<unknown>("1.0", 1),
        id: fc.jsonValue(),
        source: fc.jsonValue(),
        type: fc.jsonValue(),
        data: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), near, fc.array(near)), (value) => {
        for (const decoded of [structured(value), batch(value)]) expect(["one", "batch", "refused"]).toContain(decoded.kind);
      }),
      { numRuns: 500 },
    );
  });

  it("E27: a cut or changed body gets an answer", () => {
    const whole = Buffer.from(JSON.stringify([{ ...MINIMAL, subject: "Zoë", data: { a: [1, "x"] } }]));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), (at, byte, cut) => {
        const body = Buffer.from(whole);
        body[at] = byte;
        const decoded = decodeHttp(BATCHED, cut ? body.subarray(0, at) : body, LIMITS);
        expect(["batch", "refused"]).toContain(decoded.kind);
      }),
      { numRuns: 1000 },
    );
  });
});
