import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import { DEAD_TYPE } from "../delivery/index.ts";
import type { CloudEvent as SdkEvent } from "../sdk/index.ts";
import { type CloudEvent, testApp, type TestApp } from "./index.ts";

const SHOP = `
import { cron, event, every, Fatal, fn, http, RetryAfter } from "millrace";

export const order = fn({ on: http.post("/orders/:sku") }, async (request, ctx) => {
  const { qty } = await request.json();
  await ctx.emit("order.placed", { sku: ctx.params.sku, qty }, { key: ctx.params.sku });
  return Response.json({ accepted: true }, { status: 202, headers: { location: "/elsewhere" } });
});

export const away = fn({ on: http.get("/away") }, () => Response.redirect("http://localhost/else", 302));

export const reserve = fn({ on: event("order.placed"), key: "data.sku" }, async (e, ctx) => {
  const left = (await ctx.kv.get("stock/" + e.data.sku)) ?? 0;
  console.log("left", left);
  if (left < e.data.qty) return ctx.emit("order.rejected", { sku: e.data.sku });
  await ctx.kv.set("stock/" + e.data.sku, left - e.data.qty);
  await ctx.emit("order.reserved", e.data, { after: "10m" });
});

export const flaky = fn(
  { on: event("flaky"), retry: { attempts: 3, backoff: "fixed", base: "1m", jitter: "none" } },
  async (e, ctx) => {
    await ctx.log.info("attempt", { attempt: ctx.attempt });
    if (ctx.attempt < e.data.until) throw new Error("attempt " + ctx.attempt);
    await ctx.emit("flaky.done", { attempt: ctx.attempt });
  },
);

export const fatal = fn({ on: event("fatal"), key: null }, (e) => {
  throw new Fatal("no use: " + e.data.why);
});

export const later = fn({ on: event("later") }, (e, ctx) => {
  if (ctx.attempt === 1) throw new RetryAfter("2h", "closed");
});

export const mourn = fn({ on: event("millrace.delivery.dead") }, async (e, ctx) => {
  await ctx.kv.set("mourned/" + e.data.event.id, { function: e.data.function, message: e.data.error.message });
});

const large = event("parcel.*", { sql: "source LIKE '/shops/%' AND subject >= 10", where: { data: { fragile: [false] } } });

export const carry = fn({ on: large }, async (e, ctx) => {
  await ctx.kv.set("carried/" + e.data.name, e.subject);
});

export const hourly = fn({ on: every("1h") }, async (e, ctx) => {
  await ctx.kv.set("ticks/" + e.time, e.data);
});

export const nightly = fn({ on: cron("0 3 * * *", { timezone: "Europe/Berlin" }) }, async (e, ctx) => {
  await ctx.kv.set("nights/" + e.time, e.data);
});
`;

let directory: string;
let app: TestApp;

async function appFolder(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-testing-"));
  await mkdir(join(folder, "functions"));
  await writeFile(join(folder, "functions/shop.ts"), text);
  return folder;
}

beforeAll(async () => {
  directory = await appFolder(SHOP);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

describe("millrace/testing", () => {
  beforeEach(async () => {
    app = await testApp(directory);
  });

  afterEach(() => app.stop());

  it("takes requests and events, settles what follows, and shows what was emitted, delivered, kept and logged", async () => {
    await app.kv.set("stock/lamp", 3);
    const answer = await app.request("/orders/lamp", { method: "POST", body: JSON.stringify({ qty: 2 }) });
    expect([answer.status, await answer.json()]).toEqual([202, { accepted: true }]);
    await app.emit("order.placed", { sku: "lamp", qty: 2 }, { key: "lamp", subject: "s" });
    await app.settled();
    expect(await app.kv.get("stock/lamp")).toBe(1);
    expect((await app.emitted("order.*")).map(({ type, source }) => `${type} ${source}`)).toEqual([
      "order.placed /functions/order",
      "order.placed /test",
      "order.rejected /functions/reserve",
    ]);
    expect((await app.deliveries("reserve")).map(({ fn, key, state }) => ({ fn, key, state }))).toEqual([
      { fn: "reserve", key: "lamp", state: "done" },
      { fn: "reserve", key: "lamp", state: "done" },
    ]);
    expect((await app.logs("reserve")).map(({ text }) => text)).toEqual(["left 3", "left 1"]);
    expect(await app.dead()).toEqual([]);
    const moved = await app.request("/away");
    expect([moved.status, moved.headers.get("location")]).toEqual([302, "http://localhost/else"]);
  });

  it("D30: an `sql` trigger wakes for the events that its expression, its pattern and its type let through", async () => {
    const emit = async (name: string, source: string, subject?: string, fragile = false): Promise<void> =>
      void (await app.emit("parcel.packed", { name, fragile }, subject === undefined ? { source } : { source, subject }));
    await emit("large", "/shops/7", "12");
    await emit("small", "/shops/7", "9");
    await emit("elsewhere", "/tills/7", "12");
    await emit("unsized", "/shops/7");
    await emit("no number", "/shops/7", "large");
    await emit("fragile", "/shops/7", "12", true);
    await app.settled();
    expect(await app.kv.list({ prefix: "carried/" })).toMatchObject([{ key: "carried/large", value: "12" }]);
    expect(await app.dead()).toEqual([]);
  });

  it("has a clock that moves only when told: delayed events, from a function and from the test, happen in their time", async () => {
    expect(app.now()).toEqual(new Date("2026-01-01T00:00:00Z"));
    await app.kv.set("stock/lamp", 3);
    await app.emit("order.placed", { sku: "lamp", qty: 1 });
    await app.emit("order.seen", 1, { after: "5m" });
    await app.emit("order.sold", 2, { at: new Date("2026-01-01T00:20:00Z") });
    await app.settled();
    expect((await app.emitted("order.*")).map(({ type }) => type)).toEqual(["order.placed"]);
    await app.advance("12m");
    expect((await app.emitted("order.*")).map(({ type }) => type)).toEqual(["order.placed", "order.seen", "order.reserved"]);
    await app.advance("10m");
    expect((await app.emitted()).at(-1)).toMatchObject({ type: "order.sold", data: 2 });
    expect(app.now()).toEqual(new Date("2026-01-01T00:22:00Z"));
  });

  it("D3: retries come when they are due by that clock; RetryAfter names its own wait", async () => {
    await app.emit("flaky", { until: 3 });
    await app.emit("later");
    await app.settled();
    await app.advance("1m");
    expect(await app.emitted("flaky.done")).toEqual([]);
    await app.advance("1m");
    expect((await app.emitted("flaky.done")).map(({ data }) => data)).toEqual([{ attempt: 3 }]);
    expect((await app.deliveries("later"))[0]).toMatchObject({ state: "ready", attempt: 1 });
    await app.advance("2h");
    expect((await app.deliveries("later"))[0]).toMatchObject({ state: "done" });
    expect((await app.logs("flaky")).filter(({ text }) => text.startsWith("Error: attempt"))).toHaveLength(2);
  });

  it("D5: shows what is dead, with every error; the letter reaches those who asked for it", async () => {
    const { id } = await app.emit("fatal", { why: "closed" });
    await app.emit("flaky", { until: 9 });
    await app.settled();
    await app.advance("1h");
    const dead = await app.dead();
    expect(dead.map(({ fn, errors }) => [fn, errors.map(({ message }) => message)])).toEqual([
      ["fatal", ["no use: closed"]],
      ["flaky", ["attempt 1", "attempt 2", "attempt 3"]],
    ]);
    expect(await app.dead("flaky")).toHaveLength(1);
    expect(await app.kv.get(`mourned/${id}`)).toEqual({ function: "fatal", message: "no use: closed" });
    const [letter] = await app.emitted(DEAD_TYPE);
    expect(letter?.data).toMatchObject({
      function: "fatal",
      attempts: 1,
      error: { name: "Fatal" },
      event: { id, data: { why: "closed" } },
    });
  });

  it("D25: schedules fire in their time, each with its tick", async () => {
    await app.advance("5h30m");
    const ticks = await app.kv.list({ prefix: "ticks/" });
    expect(ticks).toHaveLength(5);
    expect(ticks[0]).toEqual({ key: "ticks/2026-01-01T01:00:00.000Z", value: { schedule: "every 3600000ms", missed: 0 } });
    expect(await app.kv.list({ prefix: "nights/" })).toEqual([
      { key: "nights/2026-01-01T02:00:00.000Z", value: { schedule: "cron 0 3 * * * Europe/Berlin", missed: 0 } },
    ]);
  });

  it("invokes one function alone, and tells what came of it", async () => {
    expect(await app.invoke("fatal", { why: "by hand" })).toMatchObject({ kind: "dead", error: { message: "no use: by hand" } });
    expect(await app.invoke("flaky", { until: 1 })).toMatchObject({ kind: "done" });
    await expect(app.invoke("nobody")).rejects.toMatchObject({ code: "not_found" });
  });

  it("emits as a door would: repetitions are duplicates, what cannot be sent is refused", async () => {
    expect(await app.emit("a", { n: 1 }, { id: "x" })).toEqual({ id: "x", duplicate: false });
    expect(await app.emit("a", { n: 1 }, { id: "x" })).toEqual({ id: "x", duplicate: true });
    await expect(app.emit("a", { n: 2 }, { id: "x" })).rejects.toMatchObject({ code: "duplicate_id" });
    await expect(app.emit("millrace.delivery.dead")).rejects.toMatchObject({ code: "reserved_type" });
    await expect(app.emit("")).rejects.toMatchObject({ code: "bad_event" });
    await app.emit("no.data", () => "not sent");
    expect((await app.emitted("no.data"))[0]).not.toHaveProperty("data");
  });

  it("keeps bytes and values, and lists them in the order of their keys", async () => {
    await app.kv.set("b", new Uint8Array([1, 2]));
    await app.kv.set("a", { n: 1 });
    expect(await app.kv.get("b")).toEqual(new Uint8Array([1, 2]));
    expect(await app.kv.get("c")).toBeUndefined();
    expect((await app.kv.list({ limit: 1 })).map(({ key }) => key)).toEqual(["a"]);
    expect((await app.kv.list({ after: "a" })).map(({ key }) => key)).toEqual(["b"]);
  });

  it("gives events of the type that handlers get", async () => {
    expectTypeOf<CloudEvent>().toEqualTypeOf<SdkEvent>();
    expectTypeOf(await app.emitted()).toExtend<readonly SdkEvent[]>();
    const handler = (e: SdkEvent): string => e.id;
    await app.emit("a", 1, { id: "typed" });
    expect((await app.emitted("a")).map(handler)).toEqual(["typed"]);
  });
});

describe("testApp", () => {
  let own: string;

  beforeEach(async () => {
    own = await mkdtemp(join(tmpdir(), "millrace-own-"));
    vi.stubEnv("TMPDIR", own);
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(own, { recursive: true, force: true });
  });

  it("takes a URL, a time to begin and a listener for the log; stops twice and leaves nothing behind", async () => {
    const lines: string[] = [];
    const other = await testApp(pathToFileURL(directory), {
      now: new Date("2030-05-05T05:05:05Z"),
      onLog: ({ fn, level, text }) => lines.push(`${fn} ${level} ${text}`),
    });
    await other.kv.set("stock/lamp", 1);
    await other.emit("order.placed", { sku: "lamp", qty: 1 });
    await other.settled();
    expect(lines).toEqual(["reserve info left 1"]);
    expect((await other.emitted())[0]?.time).toBe("2030-05-05T05:05:05.000Z");
    await other.stop();
    await other.stop();
    await expect(fetch(other.url)).rejects.toThrow("fetch failed");
    expect(await readdir(own)).toEqual([]);
  });

  it("says what is wrong with an app that does not compile or does not exist, and leaves nothing behind", async () => {
    const broken = await appFolder("export const broken = ;");
    await expect(testApp(broken)).rejects.toMatchObject({ code: "compile_failed", message: expect.stringContaining("shop.ts:1") });
    const wrong = await appFolder(
      `import { fn, http } from "millrace"; export const f = fn({ on: http.get("/"), timout: "1s" }, () => "");`,
    );
    await expect(testApp(wrong)).rejects.toMatchObject({ code: "bad_option", message: expect.stringMatching(/timout.*timeout/s) });
    await expect(testApp(join(broken, "nowhere"))).rejects.toMatchObject({ code: "app_not_found" });
    for (const folder of [broken, wrong]) await rm(folder, { recursive: true });
    expect(await readdir(own)).toEqual([]);
  });
});
