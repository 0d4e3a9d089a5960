import { describe, expect, it } from "vitest";
import { MillraceError } from "../core/index.ts";
import { releaseOf } from "./testing-support/release.ts";
import { gateways, type UnderTest } from "./testing-support/gateway-under-test.ts";

const start = gateways();

const EVENT = { specversion: "1.0", id: "1", source: "/test", type: "order.placed", data: { n: 1 } };
const STRUCTURED = { "content-type": "application/cloudevents+json" };
const BATCH = { "content-type": "application/cloudevents-batch+json" };

function post({ url }: Pick<UnderTest, "url">, body: unknown, headers: Record<string, string> = STRUCTURED): Promise<Response> {
  return fetch(`${url}/_/events`, { method: "POST", headers, body: typeof body === "string" ? body : JSON.stringify(body) });
}

describe("POST /_/events", () => {
  it("G20: takes an event in structured, binary and batched mode", async () => {
    const node = await start();
    const binary = { "ce-specversion": "1.0", "ce-id": "2", "ce-source": "/test", "ce-type": "a.b", "content-type": "application/json" };
    for (const answer of [await post(node, EVENT), await post(node, '{"n":1}', binary)]) {
      expect(answer.status).toBe(202);
      expect(await answer.json()).toEqual({ accepted: 1, duplicates: 0 });
      expect(answer.headers.get("millrace-duplicate")).toBeNull();
    }
    const batch = await post(node, [EVENT, { ...EVENT, id: "2" }], BATCH);
    expect([batch.status, await batch.json()]).toEqual([202, { accepted: 2, duplicates: 0 }]);
    expect(node.delivery.ingested.map((events) => events.map(({ event }) => event.id))).toEqual([["1"], ["2"], ["1", "2"]]);
    expect(JSON.parse(node.delivery.ingested[0]?.[0]?.json ?? "")).toMatchObject(EVENT);
  });

  it("G20: says which events were known already", async () => {
    const node = await start();
    node.delivery.onIngest = (events) => ({ kind: "accepted", events: events.map((_, seq) => ({ seq, duplicate: seq % 2 === 0 })) });
    const one = await post(node, EVENT);
    expect([one.status, one.headers.get("millrace-duplicate"), await one.json()]).toEqual([202, "true", { accepted: 1, duplicates: 1 }]);
    const events = Array.from({ length: 5 }, (_, id) => ({ ...EVENT, id: String(id) }));
    const batch = await post(node, events, BATCH);
    expect([batch.headers.get("millrace-duplicate"), await batch.json()]).toEqual(["0,2,4", { accepted: 5, duplicates: 3 }]);
    const many = Array.from({ length: 1000 }, (_, id) => ({ ...EVENT, id: String(id) }));
    expect((await post(node, many, BATCH)).headers.get("millrace-duplicate")).toMatch(/^0,2,4,.*,398,\.\.\.$/);
  });

  it("G21: refuses a batch whole, with index and reasons of every bad event", async () => {
    const node = await start();
    const answer = await post(node, [EVENT, { ...EVENT, id: "" }, { ...EVENT, id: "3", time: "now" }], BATCH);
    expect(answer.status).toBe(400);
    const body = (await answer.json()) as { error: { code: string; details: { index: number; reasons: string[] }[] } };
    expect(body.error.code).toBe("bad_batch");
    expect(body.error.details.map(({ index }) => index)).toEqual([1, 2]);
    expect(node.delivery.ingested).toEqual([]);
    expect(node.refusals).toEqual(["events bad_batch"]);
  });

  it.each([
    ["an event without a type", { ...EVENT, type: undefined }, STRUCTURED, 400, "bad_event"],
    ["a type of the platform's own", { ...EVENT, type: "millrace.x" }, STRUCTURED, 400, "reserved_type"],
    ["damaged JSON", "{", STRUCTURED, 400, "bad_json"],
    ["no body", "", STRUCTURED, 400, "bad_json"],
    ["a form", "a=b", { "content-type": "application/x-www-form-urlencoded" }, 415, "unsupported_media_type"],
    ["plain text", JSON.stringify(EVENT), { "content-type": "text/plain" }, 415, "unsupported_media_type"],
    ["plain JSON", EVENT, { "content-type": "application/json" }, 415, "unsupported_media_type"],
    ["a packed body", EVENT, { ...STRUCTURED, "content-encoding": "gzip" }, 415, "unsupported_media_type"],
    ["an event that is too large", { ...EVENT, data: "x".repeat(2000) }, STRUCTURED, 413, "too_large"],
    ["a body that is too large", "x".repeat(20_000), STRUCTURED, 413, "too_large"],
  ])("G22: refuses %s", async (_what, body, headers, status, code) => {
    const node = await start({ limits: { eventBytes: 1000, batchBytes: 10_000 } });
    const answer = await post(node, body, headers);
    expect([answer.status, ((await answer.json()) as { error: { code: string } }).error.code]).toEqual([status, code]);
    expect(node.refusals).toEqual([`events ${code}`]);
    expect(node.delivery.ingested).toEqual([]);
  });

  it("G22: an attribute that is sent twice is not one of the two", async () => {
    const node = await start();
    const client = node.raw();
    const head = ["ce-specversion: 1.0", "ce-id: 1", "ce-id: 2", "ce-source: /a", "ce-type: b", "Content-Length: 0"];
    client.send("POST /_/events HTTP/1.1", "Host: localhost", ...head, "", "");
    expect(await client.until("more than once")).toMatch(/^HTTP\/1\.1 400 /);
  });

  it.each(["GET", "PUT", "OPTIONS"])("G22: %s is 405", async (method) => {
    const node = await start();
    const answer = await fetch(`${node.url}/_/events`, { method });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST"]);
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
  });

  it.each([
    ["what delivery refuses", () => Promise.resolve(new MillraceError("disk_full", "the disk is full")), 503, "disk_full", "1"],
    ["a store that fails", () => Promise.reject(new MillraceError("data_unwritable", "read-only")), 503, "data_unwritable", "1"],
    ["an id of another content", () => Promise.resolve(new MillraceError("duplicate_id", "the id is taken")), 409, "duplicate_id", null],
    ["what nobody foresaw", () => Promise.reject(new Error("oh")), 500, "internal", null],
  ])("G23: %s", async (_what, outcome, status, code, retryAfter) => {
    const node = await start();
    node.delivery.onIngest = async () => ({ kind: "refused", error: await outcome() });
    const answer = await post(node, EVENT);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([status, retryAfter]);
    expect(await answer.json()).toMatchObject({ error: { code } });
  });

  it.each([
    ["none", undefined, 401],
    ["another", "Bearer tokem", 401],
    ["a longer one", "Bearer tokens", 401],
    ["another scheme", "Basic token", 401],
    ["the right one", "Bearer token", 202],
    ["the right one, in another case of the scheme", "bearer token", 202],
  ])("G24: with a token, %s", async (_what, authorization, status) => {
    const node = await start({ token: "token" });
    const answer = await post(node, EVENT, authorization === undefined ? STRUCTURED : { ...STRUCTURED, authorization });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("www-authenticate")).toBe(status === 401 ? "Bearer" : null);
  });

  it("G22: a packed body is refused with a token as well", async () => {
    const node = await start({ token: "token" });
    const answer = await post(node, EVENT, { ...STRUCTURED, authorization: "Bearer token", "content-encoding": "gzip" });
    expect(answer.status).toBe(415);
  });

  it.each([
    ["a page of another origin", ["Host: localhost:4800", "Origin: http://evil.example"], 403],
    ["a page of another port", ["Host: localhost:4800", "Origin: http://localhost:3000"], 403],
    ["a page without an origin", ["Host: localhost:4800", "Origin: null"], 403],
    ["a page of another site", ["Host: localhost:4800", "Sec-Fetch-Site: cross-site"], 403],
    ["a page of a neighbour", ["Host: localhost:4800", "Sec-Fetch-Site: same-site"], 403],
    [
      "a name that was made to lead here",
      ["Host: evil.example:4800", "Origin: http://evil.example:4800", "Sec-Fetch-Site: same-origin"],
      403,
    ],
    ["the app's own page", ["Host: localhost:4800", "Origin: http://localhost:4800", "Sec-Fetch-Site: same-origin"], 202],
    ["a program, by number", ["Host: 127.0.0.1:4800"], 202],
    ["a program, by number 6", ["Host: [::1]:4800"], 202],
  ])("G25: without a token, %s", async (_what, headers, status) => {
    const { raw } = await start();
    const client = raw();
    const body = JSON.stringify(EVENT);
    const length = `Content-Length: ${Buffer.byteLength(body)}`;
    client.send("POST /_/events HTTP/1.1", ...headers, "Content-Type: application/cloudevents+json", length, "Connection: close", "", body);
    expect(await client.end()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  it("G26: an app's wildcard does not reach below /_/", async () => {
    const node = await start({}, releaseOf({ "ANY /*": "all" }));
    expect((await fetch(`${node.url}/_/events`)).status).toBe(405);
    expect((await fetch(`${node.url}/_/other`)).status).toBe(404);
    expect((await fetch(`${node.url}/_`)).status).toBe(404);
    expect((await fetch(`${node.url}/_x`)).status).toBe(200);
  });
});
