import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CloudEvent } from "../events/index.ts";
import { type EventTrigger, explainTrigger } from "./event-trigger.ts";
import { Router } from "./router.ts";
import { WaitTopics } from "./wait-topics.ts";
import { functionOf } from "./testing-support/manifests.ts";

const on = (type: string, where: EventTrigger["where"] = null, sql: string | null = null): EventTrigger => ({
  kind: "event",
  type,
  where,
  sql,
});

describe("why a trigger is met or not", () => {
  it("D7: tells the type first, then what `where` asks", () => {
    const trigger = on("order.placed", { data: { total: [{ numeric: [">", 100] }] } });
    const { matched, failed, branches } = explainTrigger(trigger, { type: "order.paid", data: { total: 5 } });
    expect({ matched, failed: failed?.path }).toEqual({ matched: false, failed: "type" });
    expect(branches[0]?.conditions.map(({ path, holds }) => [path, holds])).toEqual([
      ["type", false],
      ["data.total", false],
    ]);
  });

  it("D7: a type in an `$or` of `where` does not replace that of the trigger", () => {
    const trigger = on("order.placed", {
      $or: [
        { type: ["x"], id: ["1"] },
        { type: ["y"], id: ["2"] },
      ],
    });
    expect(explainTrigger(trigger, { type: "order.placed", id: "2" })).toMatchObject({ matched: true, branchCount: 2 });
    expect(explainTrigger(trigger, { type: "y", id: "2" })).toMatchObject({ matched: false, failed: { path: "type" } });
  });

  it("D8: says that a type of the platform has to be named exactly", () => {
    const event = { type: "millrace.delivery.dead", id: "1" };
    const hint = expect.stringContaining("only a trigger that names one exactly is woken") as string;
    expect(explainTrigger(on("*"), event)).toMatchObject({
      matched: false,
      failed: { path: "type", found: "millrace.delivery.dead", reason: "mismatch", hint },
      branches: [{ matched: false, conditions: [{ holds: false, path: "type" }] }],
    });
    expect(explainTrigger(on("millrace.*", { id: ["2"] }), event)).toMatchObject({ matched: false, failed: { path: "type", hint } });
    expect(explainTrigger(on("millrace.delivery.dead"), event)).toMatchObject({ matched: true });
  });

  it("D30: tells the expression beside the pattern, and a match only where both are met", () => {
    const trigger = on("order.*", { data: { n: [1] } }, "size > 5");
    const event = (n: number, size: number): object => ({ type: "order.placed", data: { n }, size });
    expect(explainTrigger(trigger, event(1, 6))).toMatchObject({ matched: true, sql: { matched: true } });
    const byExpression = explainTrigger(trigger, event(1, 5));
    expect(byExpression).toMatchObject({ matched: false, branches: [{ matched: true }], sql: { failed: { source: "size > 5" } } });
    expect(byExpression).not.toHaveProperty("failed");
    expect(explainTrigger(trigger, event(2, 6))).toMatchObject({ matched: false, failed: { path: "data.n" }, sql: { matched: true } });
    expect(explainTrigger(on("*"), event(1, 1)).sql).toBeNull();
  });

  it("D8: an expression that is met lets no type of the platform in", () => {
    expect(explainTrigger(on("*", null, "TRUE"), { type: "millrace.x" })).toMatchObject({
      matched: false,
      failed: { path: "type" },
      sql: { matched: true },
    });
  });

  it("D7, D8, D30: says what the router does", () => {
    const type = fc.constantFrom("a", "a.b", "b", "*", "a.*", "millrace.*", "millrace.x");
    const where = fc.constantFrom(
      null,
      { id: ["1"] },
      { data: { n: [1, { exists: false }] } },
      { $or: [{ id: ["1"] }, { data: { n: [2] } }] },
    );
    const sql = fc.constantFrom(
      null,
      "size > 5",
      "EXISTS size AND id = '1'",
      "size = 5 OR kind = 'x'",
      "type LIKE 'a%' AND NOT EXISTS kind",
      "kind <> 'x' XOR size = 5",
      "id IN ('1', '3')",
    );
    const event = fc.record({
      type: fc.constantFrom("a", "a.b", "b", "millrace.x"),
      id: fc.constantFrom("1", "2"),
      data: fc.constantFrom({}, { n: 1 }, { n: 2 }),
      attributes: fc.constantFrom({}, { size: 5 }, { size: "6" }, { size: 6, kind: "x" }, { kind: "y" }),
    });
    const answers = new Set<string>();
    fc.assert(
      fc.property(type, where, sql, event, (wanted, narrowed, expression, { attributes, ...rest }) => {
        const trigger = on(wanted, narrowed, expression);
        const given = { ...rest, ...attributes };
        const whole: CloudEvent = { specversion: "1.0", source: "/s", ...given };
        const router = new Router(
          { functions: [functionOf("f", { triggers: [trigger] })], events: [] },
          { release: "r", topics: new WaitTopics(), now: () => 0 },
        );
        const routed = router.functionsFor(whole, JSON.stringify(whole));
        const explained = explainTrigger(trigger, given);
        expect(explained.matched).toBe(routed.length === 1);
        expect(explained.failed === undefined && explained.sql?.failed === undefined).toBe(explained.matched);
        answers.add(`${explained.branches[0]?.matched} ${explained.sql?.matched}`);
      }),
      { numRuns: 1000 },
    );
    expect([...answers].sort()).toEqual(["false false", "false true", "false undefined", "true false", "true true", "true undefined"]);
  });
});
