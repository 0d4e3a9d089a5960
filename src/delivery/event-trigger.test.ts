import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CloudEvent } from "../events/index.ts";
import { type EventTrigger, explainTrigger } from "./event-trigger.ts";
import { Router } from "./router.ts";
import { functionOf } from "./testing-support/manifests.ts";

const on = (type: string, where: EventTrigger["where"] = null): EventTrigger => ({ kind: "event", type, where, sql: null });

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

  it("D7, D8: says what the router does", () => {
    const type = fc.constantFrom("a", "a.b", "b", "*", "a.*", "millrace.*", "millrace.x");
    const where = fc.constantFrom(
      null,
      { id: ["1"] },
      { data: { n: [1, { exists: false }] } },
      { $or: [{ id: ["1"] }, { data: { n: [2] } }] },
    );
    const event = fc.record({
      type: fc.constantFrom("a", "a.b", "b", "millrace.x"),
      id: fc.constantFrom("1", "2"),
      data: fc.constantFrom({}, { n: 1 }, { n: 2 }),
    });
    fc.assert(
      fc.property(type, where, event, (wanted, narrowed, given) => {
        const trigger = on(wanted, narrowed);
        const whole: CloudEvent = { specversion: "1.0", source: "/s", ...given };
        const router = new Router({ functions: [functionOf("f", { triggers: [trigger] })], events: [] });
        const routed = router.functionsFor(whole, JSON.stringify(whole));
        const { matched, failed } = explainTrigger(trigger, given);
        expect(matched).toBe(routed.length === 1);
        expect(failed === undefined).toBe(matched);
      }),
    );
  });
});
