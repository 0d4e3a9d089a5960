import { request as httpRequest } from "node:http";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MillraceError } from "../core/errors.ts";
import type { FunctionManifest } from "../protocol/manifest.ts";
import { Control } from "./control.ts";
import { ControlClient } from "./client/index.ts";
import { answered, deadView, eventView, flow, fn, release, ScriptedRooms } from "./testing-support/scripted-rooms.ts";
import { entry, runView } from "./testing-support/scripted-runs.ts";

const TOKEN = "the-token";
const auth = { authorization: `Bearer ${TOKEN}` };

let rooms: ScriptedRooms;
let control: Control;
let client: ControlClient;

beforeEach(async () => {
  rooms = new ScriptedRooms();
  control = new Control({ host: "127.0.0.1", port: 0, token: TOKEN, tokenIsConfigured: false, hosts: ["Mill.example"], rooms });
  await control.start();
  client = new ControlClient({ url: control.address, token: TOKEN });
});

afterEach(async () => {
  await control.stop();
});

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
}

/** fetch does not let a caller choose Host and Origin; this does. */
function call(method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(control.address);
    const request = httpRequest({ hostname, port, method, path, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

function errorOf(answer: Answer): { code: string; message: string; cure: string; details?: unknown } {
  return (JSON.parse(answer.text) as { error: { code: string; message: string; cure: string } }).error;
}

function withSql(name: string, sql: string): FunctionManifest {
  return { ...fn(name, "event"), triggers: [{ kind: "event", type: "greeting.*", where: { data: { to: ["x"] } }, sql }] };
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

describe("C1: the document is true to the door", () => {
  interface Described {
    readonly paths: Record<string, Record<string, { operationId: string; responses: { 200: { content: Record<string, unknown> } } }>>;
  }

  /** One call an operation; a new operation without one fails the test below. */
  const CALLS: Record<string, readonly [path: string, body?: unknown]> = {
    node: ["/v1/node"],
    functions: ["/v1/functions"],
    fn: ["/v1/functions/greet"],
    invoke: ["/v1/functions/greet/invoke", { data: { to: "x" } }],
    events: ["/v1/events?type=greeting.sent&limit=2"],
    event: ["/v1/events/e3"],
    emit: ["/v1/events", { type: "greeting.sent", data: { to: "x" }, key: "x", after: "1h" }],
    testEvent: ["/v1/events/test", { pattern: { $or: [{ data: { to: ["y"] } }, { subject: ["s"] }] }, seq: 3 }],
    logs: ["/v1/logs?limit=1"],
    followLogs: ["/v1/logs/follow?limit=2"],
    dead: ["/v1/dead?fn=greet&limit=1"],
    deadLetter: ["/v1/dead/7"],
    redrive: ["/v1/dead/redrive", { fn: "greet", type: "greeting.sent" }],
    purge: ["/v1/dead/purge", { all: true }],
    runs: ["/v1/runs?fn=fulfil&state=waiting,paused&state=done&limit=2"],
    run: ["/v1/runs/r1"],
    beginRun: ["/v1/runs", { flow: "fulfil", input: { id: "o1" }, id: "r9" }],
    watchRun: ["/v1/runs/r1/watch"],
    cancelRun: ["/v1/runs/r1/cancel", { rollback: false, reason: "tests" }],
    resumeRun: ["/v1/runs/r1/resume", { result: { ok: true }, release: "live" }],
    rerun: ["/v1/runs/r1/rerun"],
    forkRun: ["/v1/runs/r1/fork", { from: "pack#2", release: "live" }],
    signalRun: ["/v1/runs/r1/signal", { wait: "paid" }],
    runReleases: ["/v1/runs/releases"],
    checkRuns: ["/v1/runs/check", { release: "app:/app", flow: "fulfil" }],
    reload: ["/v1/app/reload"],
    stats: ["/v1/stats"],
  };

  function answerRef(path: string, method: string, mediaType: string): string {
    const pointer = ["paths", path, method, "responses", "200", "content", mediaType, "schema"];
    return `door#/${pointer.map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/")}`;
  }

  async function firstLines(response: Response, count: number): Promise<unknown[]> {
    const lines: unknown[] = [];
    let text = "";
    for await (const piece of (response.body ?? new ReadableStream<Uint8Array>()).pipeThrough(new TextDecoderStream())) {
      text += piece;
      const whole = text.split("\n").slice(0, -1).filter(Boolean);
      if (whole.length < count) continue;
      for (const line of whole) lines.push(JSON.parse(line));
      break;
    }
    return lines;
  }

  it("C1: answers every kind of test as the served document says", async () => {
    rooms.eventViews = [eventView(1)];
    rooms.current = release([withSql("greet", "size > 5 AND EXISTS test"), fn("bye", "event")]);
    const document = JSON.parse((await call("GET", "/v1/openapi.json", auth)).text) as object;
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema(document, "door");
    const validate = ajv.compile({ $ref: answerRef("/v1/events/test", "post", "application/json") });
    for (const asked of [
      { pattern: { type: ["x"] } },
      { sql: "size = 'x' OR id" },
      { sql: "type LIKE '%'" },
      { fn: "greet" },
      { fn: "bye" },
    ]) {
      const answer = await client.testEvent({ ...asked, seq: 1 });
      expect([asked, validate(answer), validate.errors]).toEqual([asked, true, null]);
    }
  });

  it("C1: answers every operation as the served document says", async () => {
    rooms.eventViews = [eventView(1), eventView(3)];
    rooms.deadViews = [deadView(7), deadView(9)];
    rooms.current = release([fn("hello", "http"), fn("greet", "event"), flow("fulfil")]);
    rooms.runs.views = [runView("r1", { event: 3 })];
    rooms.runs.journals.set("r1", [entry(1, "step/pack")]);
    rooms.runs.held = [{ release: "abc123", live: true, present: true, flows: [{ flow: "fulfil", runs: 1 }] }];
    rooms.runs.checks = [{ id: "r1", flow: "fulfil", fits: true, mismatch: null, error: null }];
    rooms.logs.write({ atMs: 1, fn: "greet", invocation: "inv1", level: "info", text: "hi" });
    rooms.logs.write({ atMs: 2, fn: "greet", invocation: "inv1", level: "warn", text: "ho" });
    rooms.logs.flush();
    const document = JSON.parse((await call("GET", "/v1/openapi.json", auth)).text) as Described;
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema(document, "door");

    const called: string[] = [];
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const planned = CALLS[operation.operationId];
        if (planned === undefined) throw new Error(`no call for ${operation.operationId}`);
        const [target, body] = planned;
        const left = new AbortController();
        const response = await fetch(control.address + target, {
          method,
          signal: left.signal,
          headers: { ...auth, "content-type": "application/json" },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        expect([operation.operationId, response.status]).toEqual([operation.operationId, 200]);
        const mediaType = response.headers.get("content-type")?.split(";")[0] ?? "";
        expect(Object.keys(operation.responses[200].content)).toEqual([mediaType]);
        const validate = ajv.compile({ $ref: answerRef(path, method, mediaType) });
        const answers = mediaType === "application/json" ? [await response.json()] : await firstLines(response, 1);
        left.abort();
        expect(answers.length).toBeGreaterThan(0);
        for (const answer of answers)
          expect([operation.operationId, validate(answer), validate.errors]).toEqual([operation.operationId, true, null]);
        called.push(operation.operationId);
      }
    }
    expect(called.sort()).toEqual(Object.keys(CALLS).sort());
  });

  it("C1: the document is OpenAPI 3.1 whose references all lead somewhere", async () => {
    const text = (await call("GET", "/v1/openapi.json", auth)).text;
    const document = JSON.parse(text) as { openapi: string; components: { schemas: Record<string, unknown> } };
    expect(document.openapi).toBe("3.1.0");
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect(document.components.schemas).toHaveProperty(name ?? "");
  });

  it("C1: errors are as the document says", async () => {
    const document = JSON.parse((await call("GET", "/v1/openapi.json", auth)).text) as object;
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema(document, "door");
    const validate = ajv.compile({ $ref: "door#/components/schemas/Error" });
    for (const answer of [await call("GET", "/v1/nothing", auth), await call("POST", "/v1/node", auth), await call("GET", "/v1/node")]) {
      expect(validate(JSON.parse(answer.text))).toBe(true);
    }
  });
});

describe("who may come in", () => {
  it("C3: /v1 wants the token, and says how", async () => {
    const missing = await call("GET", "/v1/node");
    expect(missing.status).toBe(401);
    expect(missing.headers["www-authenticate"]).toContain("Bearer");
    expect(errorOf(missing).code).toBe("unauthorized");
    expect((await call("GET", "/v1/node", { authorization: "Bearer the-tokem" })).status).toBe(401);
    expect((await call("GET", "/v1/node", { authorization: TOKEN })).status).toBe(401);
    expect((await call("GET", "/v1/openapi.json")).status).toBe(401);
    expect((await call("GET", "/v1/node", auth)).status).toBe(200);
    expect(rooms.refusals).toEqual(["unauthorized", "unauthorized", "unauthorized", "unauthorized"]);
  });

  it("C4: probes, metrics and the welcome are open on loopback", async () => {
    for (const path of ["/", "/healthz", "/readyz", "/metrics"]) expect((await call("GET", path)).status).toBe(200);
    expect((await call("GET", "/")).text).toContain("/v1/openapi.json");
    expect((await call("HEAD", "/healthz")).text).toBe("");
    expect((await call("POST", "/healthz")).headers.allow).toBe("GET, HEAD");
  });

  it("C4: ready says when calls are served", async () => {
    rooms.ready = false;
    expect((await call("GET", "/readyz")).status).toBe(503);
    rooms.ready = true;
    rooms.health = { state: "failing", error: new Error("full"), sinceMs: 1 };
    expect(await call("GET", "/readyz")).toMatchObject({ status: 200, text: "ready; the store is failing\n" });
    expect((await client.node()).store).toEqual({ state: "failing", error: "full", sinceMs: 1 });
  });

  it("C5: a name that is not the door's own is refused, so that no page can rebind its name to this machine", async () => {
    const { port } = new URL(control.address);
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`, "mill.example", `MILL.example:${port}`]) {
      expect([host, (await call("GET", "/v1/node", { ...auth, host })).status]).toEqual([host, 200]);
    }
    for (const host of [
      "evil.example",
      `evil.example:${port}`,
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "10.0.0.7",
      "user@localhost",
    ]) {
      const answer = await call("GET", "/healthz", { host });
      expect([host, answer.status, errorOf(answer).code]).toEqual([host, 403, "forbidden"]);
    }
  });

  it("C6: another page's origin is refused, the door's own is not", async () => {
    const { host } = new URL(control.address);
    expect((await call("GET", "/v1/node", { ...auth, origin: `http://${host}` })).status).toBe(200);
    for (const origin of ["http://evil.example", "null", "http://127.0.0.1:1", `http://${host}.evil.example`]) {
      expect([origin, (await call("GET", "/metrics", { origin })).status]).toEqual([origin, 403]);
    }
  });

  it("C2: a door beyond loopback without a token that a person set is refused at start", async () => {
    const open = new Control({ host: "0.0.0.0", port: 0, token: TOKEN, tokenIsConfigured: false, rooms });
    await expect(open.start()).rejects.toMatchObject({ code: "open_door", cure: expect.stringContaining("--control-token") });
    await open.stop();
  });

  it("C4: beyond loopback everything wants the token", async () => {
    const wide = new Control({ host: "0.0.0.0", port: 0, token: TOKEN, tokenIsConfigured: true, rooms });
    await wide.start();
    const url = wide.address.replace("0.0.0.0", "127.0.0.1");
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    expect((await fetch(`${url}/healthz`, { headers: auth })).status).toBe(200);
    await wide.stop();
  });

  it("C2: a port in use is said with what to do", async () => {
    const second = new Control({
      host: "127.0.0.1",
      port: Number(new URL(control.address).port),
      token: TOKEN,
      tokenIsConfigured: false,
      rooms,
    });
    await expect(second.start()).rejects.toMatchObject({ code: "port_in_use", cure: expect.stringContaining("--control-port") });
    await second.stop();
  });
});

describe("requests", () => {
  const json = { ...auth, "content-type": "application/json" };

  it("C7: only JSON is taken", async () => {
    expect(errorOf(await call("POST", "/v1/events", { ...auth, "content-type": "text/plain" }, "{}")).code).toBe("unsupported_media_type");
    expect(errorOf(await call("POST", "/v1/events", auth, "{}")).code).toBe("unsupported_media_type");
    expect(errorOf(await call("POST", "/v1/events", json, "{")).code).toBe("bad_json");
    expect(errorOf(await call("POST", "/v1/events", json, "")).code).toBe("bad_json");
    expect((await call("POST", "/v1/events", { ...auth, "content-type": "Application/JSON; charset=utf-8" }, '{"type":"a"}')).status).toBe(
      200,
    );
  });

  it("C7: a body beyond the limit is refused, announced or not", async () => {
    const large = JSON.stringify({ data: "x".repeat(1024 * 1024) });
    expect(await call("POST", "/v1/functions/greet/invoke", json, large)).toMatchObject({ status: 413 });
    const chunked = await call("POST", "/v1/functions/greet/invoke", { ...json, "transfer-encoding": "chunked" }, large);
    expect(chunked).toMatchObject({ status: 413, headers: { connection: "close" } });
  });

  it("C8: what does not fit is named", async () => {
    const wrong = async (method: string, path: string, body?: unknown): Promise<string> => {
      const answer = await call(method, path, json, body === undefined ? undefined : JSON.stringify(body));
      expect(answer.status).toBe(400);
      return errorOf(answer).message;
    };
    expect(await wrong("GET", "/v1/events?limitt=3")).toContain('did you mean "limit"?');
    expect(await wrong("GET", "/v1/events?limit=0")).toContain("limit must be >= 1");
    expect(await wrong("GET", "/v1/events?limit=ten")).toContain("limit must be integer");
    expect(await wrong("GET", "/v1/events?limit=1&limit=2")).toContain("twice");
    expect(await wrong("GET", "/v1/logs?level=loud")).toContain("debug, info, warn, error");
    expect(await wrong("GET", "/v1/dead/seven")).toContain("the path does not fit");
    expect(await wrong("POST", "/v1/events", { data: 1 })).toContain("type");
    expect(await wrong("POST", "/v1/dead/purge", {})).toContain("the body does not fit");
  });

  it("C8: unknown places and methods are told apart", async () => {
    expect(await call("GET", "/v1/nothing", auth)).toMatchObject({ status: 404 });
    expect(await call("GET", "/v1/functions//invoke", auth)).toMatchObject({ status: 404 });
    expect(await call("DELETE", "/v1/events", auth)).toMatchObject({ status: 405, headers: { allow: "GET, POST" } });
  });

  it("C8: an unknown function, event or dead letter is not found", async () => {
    const notFound = { code: "not_found" };
    await expect(client.fn("nobody")).rejects.toMatchObject(notFound);
    await expect(client.invoke("nobody")).rejects.toMatchObject(notFound);
    await expect(client.event("nothing")).rejects.toMatchObject(notFound);
    await expect(client.event(99)).rejects.toMatchObject(notFound);
    await expect(client.deadLetter(99)).rejects.toMatchObject(notFound);
  });

  it("C8: a failure of the platform is internal and does not end the door", async () => {
    rooms.node.reload = undefined as never;
    const answer = await call("POST", "/v1/app/reload", auth);
    expect(answer.status).toBe(500);
    expect(errorOf(answer).code).toBe("internal");
    expect((await call("GET", "/healthz")).status).toBe(200);
  });
});

describe("emit", () => {
  it("C12: makes a CloudEvent and answers once it is durable", async () => {
    rooms.ingestResult = { kind: "accepted", events: [{ seq: 41, duplicate: true }] };
    const accepted = await client.emit({ type: "order.placed", data: { id: 1 }, key: "sku", subject: "o/1", source: "/shop", id: "o1" });
    expect(accepted).toEqual({ id: "o1", seq: 41, duplicate: true, dueMs: null });
    expect(rooms.ingested[0]?.event).toMatchObject({
      specversion: "1.0",
      id: "o1",
      source: "/shop",
      type: "order.placed",
      subject: "o/1",
      partitionkey: "sku",
      data: { id: 1 },
    });
    expect(JSON.parse(rooms.ingested[0]?.json ?? "")).toEqual(rooms.ingested[0]?.event);
  });

  it("C12: a delayed event carries its time", async () => {
    const at = "2030-01-02T03:04:05Z";
    expect((await client.emit({ type: "a", at })).dueMs).toBe(Date.parse(at));
    expect(rooms.ingested[0]?.atMs).toBe(Date.parse(at));
    await expect(client.emit({ type: "a", at, after: "1h" })).rejects.toMatchObject({ code: "bad_event" });
    await expect(client.emit({ type: "a", after: "soon" })).rejects.toMatchObject({
      code: "bad_event",
      message: expect.stringContaining("soon"),
    });
    await expect(client.emit({ type: "a", at: "tomorrow" })).rejects.toMatchObject({ code: "bad_event" });
  });

  it("C12: what delivery refuses is the caller's answer", async () => {
    rooms.ingestResult = { kind: "refused", error: new MillraceError("disk_full", "no room", { details: { free: 0 } }) };
    await expect(client.emit({ type: "a" })).rejects.toMatchObject({ code: "disk_full", message: "no room", details: { free: 0 } });
  });

  it("C12: reserved types, bad attributes and too much data are refused", async () => {
    await expect(client.emit({ type: "millrace.delivery.dead" })).rejects.toMatchObject({ code: "reserved_type" });
    await expect(client.emit({ type: "a", source: "not a uri" })).rejects.toMatchObject({ code: "bad_event" });
    await expect(client.emit({ type: "a", data: "x".repeat(1024 * 1024) })).rejects.toMatchObject({ code: "too_large" });
    expect(rooms.ingested).toEqual([]);
  });

  it("C12: a batch is refused whole, with index and reason of every bad event", async () => {
    await expect(client.emitAll([{ type: "a" }, { type: "millrace.x" }, { type: "b", at: "never" }])).rejects.toMatchObject({
      code: "bad_batch",
      details: {
        events: [
          { index: 1, code: "reserved_type" },
          { index: 2, code: "bad_event" },
        ],
      },
    });
    expect(rooms.ingested).toEqual([]);
    expect(await client.emitAll([{ type: "a" }, { type: "b" }])).toMatchObject([{ seq: 1 }, { seq: 2 }]);
  });
});

describe("invoke", () => {
  it("C13: sends an event to an event function, and gives its log lines", async () => {
    rooms.logs.write({ atMs: 1, fn: "greet", invocation: "inv1", level: "info", text: "hi" });
    rooms.logs.write({ atMs: 1, fn: "greet", invocation: "other", level: "info", text: "no" });
    expect(await client.invoke("greet", { data: { to: "x" } })).toMatchObject({ outcome: "done", ranMs: 3.5, logs: [{ text: "hi" }] });
    expect(rooms.invoked).toEqual([{ fn: "greet", data: { to: "x" } }]);
  });

  it("C13: a failing function is an answer", async () => {
    const error = { name: "Error", message: "no", stack: null };
    rooms.invokeResult = { kind: "retrying", invocation: "i", delivery: 1, error, dueMs: 9 };
    expect(await client.invoke("greet")).toMatchObject({ outcome: "retrying", error, dueMs: 9 });
    rooms.invokeResult = { kind: "dead", invocation: "i", delivery: 1, error };
    expect(await client.invoke("greet")).toMatchObject({ outcome: "dead", error });
    rooms.httpResult = { kind: "failed", invocation: "i", error: new MillraceError("function_timeout", "too slow"), retryAfterMs: null };
    expect(await client.invoke("hello")).toMatchObject({ outcome: "failed", code: "function_timeout" });
  });

  it("C13: calls a function of HTTP triggers at its own route", async () => {
    rooms.httpResult = answered('{"ok":true}', "application/json", 201);
    expect(await client.invoke("hello", { data: { a: 1 } })).toMatchObject({
      outcome: "answered",
      status: 201,
      text: '{"ok":true}',
      base64: null,
    });
    expect(rooms.requests[0]?.head).toEqual({
      method: "POST",
      url: "http://localhost/hello",
      headers: ["content-type", "application/json"],
      params: {},
    });
    expect(rooms.requests[0]?.body).toEqual(Buffer.from('{"a":1}'));
  });

  it("C13: a described request goes where it says, with its parameters", async () => {
    rooms.current = release([fn("order", "http", "/orders/:id")]);
    await expect(client.invoke("order")).rejects.toMatchObject({ code: "bad_request", message: expect.stringContaining("/orders/:id") });
    await client.invoke("order", { request: { path: "/orders/a%20b?x=1", headers: { Accept: "text/html" } } });
    expect(rooms.requests[0]?.head).toMatchObject({
      url: "http://localhost/orders/a%20b?x=1",
      headers: ["accept", "text/html"],
      params: { id: "a b" },
    });
    for (const request of [{ path: "/other" }, { path: "//evil/orders/1" }, { method: "GET", path: "/orders/1" }]) {
      await expect(client.invoke("order", { request })).rejects.toMatchObject({ code: "bad_request" });
    }
  });

  it("C13: bytes that are no text come as base64, a stream is collected", async () => {
    const bytes = async function* (): AsyncGenerator<Uint8Array> {
      yield Uint8Array.of(0xff);
      yield Uint8Array.of(0xfe);
    };
    const result = answered("", "application/octet-stream");
    if (result.kind === "answered") rooms.httpResult = { ...result, body: bytes() };
    expect(await client.invoke("hello")).toMatchObject({ text: null, base64: "//4=" });
  });
});

describe("looking", () => {
  it("C8: functions carry manifest, numbers and instances; orphaned deliveries show", async () => {
    const functions = await client.functions();
    expect(functions.map(({ name, exists, waiting, instances }) => [name, exists, waiting, instances])).toEqual([
      ["gone", false, 1, 0],
      ["greet", true, 2, 0],
      ["hello", true, 0, 1],
    ]);
    expect((await client.fn("greet")).options).toMatchObject({ file: "functions/greet.ts", retry: { attempts: 5 } });
    expect(functions.map(({ coldStarts, startFailure }) => [coldStarts.count, startFailure])).toEqual([
      [0, null],
      [0, null],
      [3, { name: "TypeError", message: "no good", failures: 2, retryAtMs: 1_700_000_000_200 }],
    ]);
  });

  it("C8: an event is found by seq and by id, and the log pages both ways", async () => {
    rooms.eventViews = [1, 3, 5, 7].map((seq) => eventView(seq));
    expect((await client.event(3)).id).toBe("e3");
    expect((await client.event("e5")).seq).toBe(5);
    expect((await client.events({ limit: 2 })).map(({ seq }) => seq)).toEqual([7, 5]);
    expect((await client.events({ before: 5, limit: 2 })).map(({ seq }) => seq)).toEqual([3, 1]);
    expect((await client.events({ after: 3 })).map(({ seq }) => seq)).toEqual([5, 7]);
  });

  it("C4: metrics tell the backlog", async () => {
    const { text } = await call("GET", "/metrics");
    expect(text).toContain("\nmillrace_deliveries_waiting 3\n");
    expect(text).toContain('\nmillrace_function_deliveries_waiting{function="greet"} 2\n');
  });

  it("a broken app is told with its code, and the last good release stays", async () => {
    rooms.reloadFails = new MillraceError("compile_failed", "functions/hello.ts:3:1: unexpected }");
    await expect(client.reload()).rejects.toMatchObject({ code: "compile_failed", message: expect.stringContaining(":3:1") });
    expect((await client.node()).release?.id).toBe("abc123");
  });
});

describe("testing events", () => {
  const greeting = { type: "greeting.sent", data: { to: "X" } };

  it("C15: tells which condition of a pattern failed, and what the event has there", async () => {
    const answer = await client.testEvent({ pattern: { type: [{ prefix: "greeting." }], data: { to: ["x"] } }, event: greeting });
    const failed = {
      path: "data.to",
      condition: ["x"],
      found: "X",
      reason: "mismatch",
      hint: 'differs only in letter case; {"equals-ignore-case":"x"} would match',
    };
    expect(answer).toEqual({
      kind: "pattern",
      event: null,
      matched: false,
      failed,
      branches: [
        {
          branch: 1,
          matched: false,
          conditions: [
            { holds: true, path: "type", condition: [{ prefix: "greeting." }], found: "greeting.sent" },
            { holds: false, ...failed },
          ],
        },
      ],
      branchCount: 1,
    });
  });

  it("C15: takes a pattern as JSON text, and an event of the log by seq or by id", async () => {
    rooms.eventViews = [eventView(1), eventView(3, "other")];
    const pattern = '{"type":["greeting.sent"]}';
    expect(await client.testEvent({ pattern, seq: 1 })).toMatchObject({ matched: true, event: { seq: 1, type: "greeting.sent" } });
    expect(await client.testEvent({ pattern, id: "e3" })).toMatchObject({ matched: false, event: { seq: 3, id: "e3", source: "/test" } });
    await expect(client.testEvent({ pattern, seq: 2 })).rejects.toMatchObject({
      code: "not_found",
      message: "there is no event with the seq 2",
    });
    await expect(client.testEvent({ pattern, seq: 0 })).rejects.toMatchObject({ code: "not_found" });
    await expect(client.testEvent({ pattern, id: "1" })).rejects.toMatchObject({ code: "not_found" });
  });

  it("C15: tests every event trigger of a function, and names the delivery there was", async () => {
    rooms.eventViews = [eventView(1)];
    const trigger = { kind: "event", type: "greeting.*", where: { data: { to: ["x"] } } };
    expect(await client.testEvent({ fn: "greet", seq: 1 })).toMatchObject({
      kind: "function",
      fn: "greet",
      matched: true,
      event: { seq: 1 },
      delivery: { seq: 2, state: "done" },
      triggers: [{ trigger, matched: true, branches: [{ conditions: [{ path: "type" }, { path: "data.to" }] }] }],
    });
    expect(await client.testEvent({ fn: "greet", event: greeting })).toMatchObject({
      matched: false,
      event: null,
      delivery: null,
      triggers: [{ matched: false, failed: { path: "data.to", found: "X" } }],
    });
    expect(await client.testEvent({ fn: "hello", event: greeting })).toEqual({
      kind: "function",
      fn: "hello",
      matched: false,
      event: null,
      delivery: null,
      triggers: [],
    });
  });

  it("C15: tells which operand of an expression failed, and what the event has there", async () => {
    const sql = "type LIKE 'greeting.%' AND size > 5";
    const failed = {
      operator: "AND",
      source: "size > 5",
      position: 27,
      holds: false,
      value: false,
      error: null,
      skipped: false,
      attributes: ["size"],
      hint: "5 is the bound itself, which is left out; size >= 5 would be true",
    };
    expect(await client.testEvent({ sql, event: { ...greeting, size: 5 } })).toEqual({
      kind: "sql",
      event: null,
      matched: false,
      value: false,
      error: null,
      failed,
      operands: [
        {
          operator: null,
          source: "type LIKE 'greeting.%'",
          position: 0,
          holds: true,
          value: true,
          error: null,
          skipped: false,
          attributes: ["type"],
        },
        failed,
      ],
      attributes: [
        { name: "type", found: "greeting.sent" },
        { name: "size", found: 5 },
      ],
    });
    rooms.eventViews = [eventView(1)];
    expect(await client.testEvent({ sql, seq: 1 })).toMatchObject({
      matched: false,
      event: { seq: 1 },
      error: { kind: "missing_attribute", position: 27 },
    });
  });

  it("C15: a trigger matches where its pattern and its expression do, and both are told", async () => {
    rooms.eventViews = [eventView(1)];
    rooms.current = release([withSql("greet", "size > 5")]);
    const event = { type: "greeting.sent", data: { to: "x" } };
    expect(await client.testEvent({ fn: "greet", event: { ...event, size: 6 } })).toMatchObject({
      matched: true,
      triggers: [{ matched: true, sql: { matched: true } }],
    });
    const kept = await client.testEvent({ fn: "greet", event: { ...event, size: 4 } });
    expect(kept).toMatchObject({
      matched: false,
      triggers: [{ matched: false, branches: [{ matched: true }], sql: { matched: false, failed: { source: "size > 5" } } }],
    });
    expect(await client.testEvent({ fn: "greet", seq: 1 })).toMatchObject({
      matched: false,
      triggers: [{ sql: { error: { kind: "missing_attribute" }, attributes: [{ name: "size" }] } }],
    });
  });

  it("C15: what is no expression is told with position and fault, as a fault of whoever asks", async () => {
    await expect(client.testEvent({ sql: "type LKE 'a'", event: {} })).rejects.toMatchObject({
      code: "bad_sql",
      details: { position: 5, fault: expect.stringContaining('did you mean "LIKE"?') as string },
    });
    await expect(client.testEvent({ sql: "", event: {} })).rejects.toMatchObject({ code: "bad_sql", details: { position: 0 } });
  });

  it("C15: nothing is kept, and nobody is woken", async () => {
    await client.testEvent({ fn: "greet", event: greeting });
    expect([rooms.ingested, rooms.invoked, rooms.requests]).toEqual([[], [], []]);
  });

  it("C15: what is no pattern is told with path and fault, as a fault of whoever asks", async () => {
    await expect(client.testEvent({ pattern: { data: { to: [{ prefx: "x" }] } }, event: {} })).rejects.toMatchObject({
      code: "bad_pattern",
      message: 'the pattern is wrong: data.to[0].prefx: unknown operator "prefx" (did you mean "prefix"?)',
      details: { path: "data.to[0].prefx", fault: 'unknown operator "prefx" (did you mean "prefix"?)' },
    });
    await expect(client.testEvent({ pattern: null, event: {} })).rejects.toMatchObject({ code: "bad_pattern", details: { path: "" } });
    const answer = await call("POST", "/v1/events/test", { ...auth, "content-type": "application/json" }, '{"pattern":"{","event":{}}');
    expect(answer.status).toBe(400);
  });

  it("C15: says what is missing or too much", async () => {
    const refused = async (body: object): Promise<string> => {
      const answer = await call("POST", "/v1/events/test", { ...auth, "content-type": "application/json" }, JSON.stringify(body));
      expect(answer.status).toBe(400);
      return errorOf(answer).message;
    };
    expect(await refused({ event: {} })).toBe("the body wants one of pattern, sql and fn: what the event is tested against");
    expect(await refused({ pattern: { a: [1] }, fn: "greet", event: {} })).toContain("one of pattern, sql and fn");
    expect(await refused({ pattern: { a: [1] }, sql: "a = 1", event: {} })).toContain("one of pattern, sql and fn");
    expect(await refused({ fn: "greet" })).toBe("the body wants one of event, seq and id: which event is tested");
    expect(await refused({ fn: "greet", seq: 1, id: "e1" })).toContain("one of event, seq and id");
    expect(await refused({ fn: "greet", event: [1] })).toBe("the body does not fit: event must be object");
    expect(await refused({ fn: "greet", evnt: {} })).toContain('must not have "evnt"');
    await expect(client.testEvent({ fn: "gret", event: {} })).rejects.toMatchObject({
      code: "not_found",
      message: 'there is no function "gret" (did you mean "greet"?)',
    });
  });
});

describe("streams", () => {
  it("C10: follows the lines that are stored, then those that come, each once", async () => {
    const line = (text: string, atMs: number) => ({ atMs, fn: "greet", invocation: "i", level: "info" as const, text });
    rooms.logs.write(line("old", 1));
    rooms.logs.write(line("stored", 2));
    rooms.logs.flush();
    rooms.logs.write(line("not stored yet", 3));
    const left = new AbortController();
    const lines = client.followLogs({ limit: 2 }, left.signal);
    expect((await lines.next()).value).toMatchObject({ text: "stored" });
    expect((await lines.next()).value).toMatchObject({ text: "not stored yet" });
    rooms.logs.write(line("live", 4));
    rooms.logs.write({ ...line("of another", 4), fn: "hello" });
    expect((await lines.next()).value).toMatchObject({ text: "live" });
    expect((await lines.next()).value).toMatchObject({ text: "of another" });
    left.abort();
    expect((await lines.next()).done).toBe(true);
  });

  it("C9: a stream ends when the node stops", async () => {
    const lines = client.followLogs();
    rooms.logs.write({ atMs: 1, fn: "greet", invocation: "i", level: "info", text: "x" });
    const first = lines.next();
    await until(() => rooms.logs.write({ atMs: 2, fn: "greet", invocation: "i", level: "info", text: "y" }), first);
    await control.stop();
    expect(await all(lines)).toBeInstanceOf(Array);
  });

  it("C9: an error in the middle of a stream is its last line", async () => {
    rooms.deadViews = [deadView(1)];
    rooms.delivery.redrive = async () => {
      throw new MillraceError("disk_full", "no room");
    };
    await expect(all(client.redrive({ all: true }))).rejects.toMatchObject({ code: "disk_full", message: "no room" });
  });

  it("C11: redrives in pieces and says how far it is", async () => {
    rooms.deadViews = Array.from({ length: 1200 }, (_, i) => deadView(i + 1));
    rooms.eventViews = [eventView(5000)];
    expect(await all(client.redrive({ all: true }))).toEqual([
      { redriven: 500, remaining: 700, finished: false },
      { redriven: 1000, remaining: 200, finished: false },
      { redriven: 1200, remaining: 0, finished: false },
      { redriven: 1200, remaining: 0, finished: true },
    ]);
  });

  it("C11: what dies again at once, or after the start, is left alone", async () => {
    rooms.deadViews = [deadView(1), deadView(2)];
    rooms.eventViews = [eventView(2)];
    rooms.delivery.redrive = async (selection) => {
      const { length } = "seqs" in selection ? selection.seqs : [];
      rooms.deadViews = [deadView(1), deadView(2), deadView(50)];
      return length;
    };
    expect((await all(client.redrive({ type: "greeting.sent" }))).at(-1)).toEqual({ redriven: 2, remaining: 0, finished: true });
  });

  it("C11: purges those that are named, each once", async () => {
    rooms.deadViews = [deadView(1), deadView(2), deadView(3)];
    expect((await all(client.purge({ seqs: [1, 3, 3, 9] }))).at(-1)).toEqual({ purged: 2, remaining: 0, finished: true });
    expect(rooms.pieces).toEqual([[1, 3, 9]]);
  });
});

describe("the client", () => {
  it("C14: a node that does not answer is unreachable", async () => {
    await control.stop();
    await expect(client.node()).rejects.toMatchObject({ code: "unreachable", cure: expect.stringContaining("millrace dev") });
  });

  it("C14: a wrong token is told as such", async () => {
    await expect(new ControlClient({ url: control.address, token: "x" }).stats()).rejects.toMatchObject({ code: "unauthorized" });
  });
});

/** Writes again and again until the promise is settled: the stream may not have begun at the first write. */
async function until(act: () => void, settled: Promise<unknown>): Promise<void> {
  const state = { done: false };
  void settled.then(() => (state.done = true));
  while (!state.done) {
    act();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
