import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { registeredEvents } from "../sdk/event-registry.ts";
import { event } from "../sdk/event.ts";
import { EffectLog } from "./effect-log.ts";
import { type EmitFunction, emitter } from "./emit.ts";
import { Schemas } from "./schemas.ts";

function setUp(schemas = new Schemas(new Map(), () => Promise.reject(new Error("nothing to import")))): {
  emit: EmitFunction;
  emitted: () => Record<string, unknown>[];
  end: () => void;
} {
  const effects = new EffectLog();
  let ended = false;
  const emit = emitter(schemas, effects, () => {
    if (ended) throw new Error("ended");
  });
  return {
    emit,
    emitted: () => (JSON.parse(effects.toJson()) as { emits: Record<string, unknown>[] }).emits,
    end: () => {
      ended = true;
    },
  };
}

describe("emit", () => {
  it("B16: makes an id, gives it back and keeps the data", async () => {
    const { emit, emitted } = setUp();
    const made = (await emit("order.placed", { id: 1 })) as { id: string };
    expect(made.id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    await emit("order.gone");
    expect(emitted()).toEqual([
      { type: "order.placed", id: made.id, data: { id: 1 } },
      { type: "order.gone", id: expect.any(String) },
    ]);
  });

  it("B16: without a schema the effect is there at once, awaited or not", () => {
    const { emit, emitted } = setUp();
    void emit("order.placed", 1);
    expect(emitted()).toHaveLength(1);
  });

  it("B16: takes key, id, source, subject, extensions and a moment", async () => {
    const { emit, emitted } = setUp();
    const at = new Date("2030-01-02T03:04:05Z");
    await emit("a", null, { key: "k", id: "i", source: "/s", subject: "t", extensions: { tenant: "x", n: 1, b: true }, at });
    expect(emitted()).toEqual([
      {
        type: "a",
        id: "i",
        key: "k",
        source: "/s",
        subject: "t",
        extensions: { tenant: "x", n: 1, b: true },
        atMs: at.getTime(),
        data: null,
      },
    ]);
    await emit("a", 1, { at: "2030-01-02T03:04:05Z" });
    await emit("a", 1, { at: at.getTime() });
    expect(emitted().map((each) => each["atMs"])).toEqual([at.getTime(), at.getTime(), at.getTime()]);
    // The node adds it to its own clock.
    await emit("a", 1, { after: "10s" });
    expect(emitted()[3]).toEqual({ type: "a", id: expect.any(String), afterMs: 10_000, data: 1 });
  });

  it.each<[unknown, unknown, string, string]>([
    ["millrace.delivery.dead", undefined, "reserved_type", "reserved"],
    ["", undefined, "bad_event", "must not be empty"],
    ["order.*", undefined, "bad_event", "is a pattern"],
    [7, undefined, "bad_event", "what event() returned"],
    ["a", { kye: "x" }, "bad_option", 'did you mean "key"?'],
    ["a", { key: "" }, "bad_event", "`key`"],
    ["a", { key: "x".repeat(1025) }, "bad_event", "1025 bytes"],
    ["a", { after: "soon" }, "bad_option", "no duration"],
    ["a", { after: "1s", at: 1 }, "bad_option", "not both"],
    ["a", { at: "tomorrow" }, "bad_option", "RFC 3339"],
    ["a", { extensions: { "a-b": 1 } }, "bad_event", "lower-case"],
    ["a", { extensions: { subject: "x" } }, "bad_event", "attribute of its own"],
    ["a", { extensions: { x: 1.5 } }, "bad_event", "whole number"],
    ["a", { extensions: { x: 2 ** 31 } }, "bad_event", "32 bits"],
    ["a", { extensions: { x: "a\nb" } }, "bad_event", "control characters"],
    ["a", { subject: "a\nb" }, "bad_event", "control character"],
    ["a", { source: "/\ud800" }, "bad_event", "surrogate"],
  ])("B16: emit(%j, …, %j) is refused", async (target, options, code, words) => {
    const { emit, emitted } = setUp();
    await expect(emit(target, 1, options)).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
    expect(emitted()).toEqual([]);
  });

  it("B17: data that JSON cannot carry is refused with its path", async () => {
    const { emit } = setUp();
    await expect(emit("a", { list: [1, { f: () => 1 }] })).rejects.toThrow("data.list[1].f: a function");
    const cyclic: Record<string, unknown> = {};
    cyclic["self"] = cyclic;
    await expect(emit("a", cyclic)).rejects.toThrow("data.self: a cycle");
  });

  it.each([
    ["zod", event("z.order", { schema: z.object({ qty: z.number() }) })],
    ["valibot", event("v.order", { schema: v.object({ qty: v.number() }) })],
    ["arktype", event("a.order", { schema: type({ qty: "number" }) })],
  ])("B16: data that does not fit a %s schema is the emitter's error, with path and words", async (_library, definition) => {
    const { emit, emitted } = setUp();
    for (const target of [definition, definition.type])
      await expect(emit(target, { qty: "two" })).rejects.toMatchObject({
        code: "schema_mismatch",
        message: expect.stringContaining("data.qty: "),
      });
    await emit(definition, { qty: 2 });
    expect(emitted().map((each) => each["data"])).toEqual([{ qty: 2 }]);
  });

  it("B16: what is sent is the schema's output, from an asynchronous schema too", async () => {
    const { emit, emitted } = setUp();
    const schema = z.object({ qty: z.number().default(1), sku: z.string().refine((sku) => Promise.resolve(sku !== "bad")) });
    const definition = event("late.order", { schema });
    await emit(definition, { sku: "a" });
    await expect(emit(definition, { sku: "bad" })).rejects.toThrow("data.sku");
    expect(emitted().map((each) => each["data"])).toEqual([{ qty: 1, sku: "a" }]);
  });

  it("B16: the schema of a type that another file defines is imported first", async () => {
    const imported: string[] = [];
    const { emit, emitted } = setUp(
      new Schemas(new Map([["far.order", "functions/far.mjs"]]), async (entry) => {
        imported.push(entry);
        event("far.order", { schema: z.object({ id: z.string() }) });
      }),
    );
    await expect(emit("far.order", { id: 1 })).rejects.toThrow("data.id");
    await emit("far.order", { id: "1" });
    expect(imported).toEqual(["functions/far.mjs"]);
    expect(emitted()).toHaveLength(1);
    registeredEvents().delete("far.order");
  });

  it("B13: an effect whose check ends after the transaction is refused", async () => {
    const { emit, emitted, end } = setUp();
    const slow = event("slow.order", { schema: z.number().refine(() => Promise.resolve(true)) });
    const late = emit(slow, 1);
    end();
    await expect(late).rejects.toThrow("ended");
    expect(emitted()).toEqual([]);
  });
});
