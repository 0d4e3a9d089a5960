import { describe, expect, it } from "vitest";
import { costOf, formatCost } from "./cost.ts";
import { entry } from "../testing-support/journal.ts";
import { timelineOf, type TimelineItem } from "./timeline.ts";
import { errorText, errorWords, nameOf, outcomeWords } from "./words.ts";

const NOW = 10_000;
const lost = { name: "TypeError", message: "card\n declined", stack: "TypeError: card\n    at charge (functions/a.ts:3:1)" };

function only(journal: Parameters<typeof timelineOf>[0]): TimelineItem {
  const items = timelineOf(journal);
  expect(items).toHaveLength(1);
  return items[0] as TimelineItem;
}

describe("a timeline", () => {
  it("a step: begun before it was written, done with its result", () => {
    const item = only([entry(1, "step/pack", { atMs: 5020, ranMs: 20, value: { id: "p1" } })]);
    expect(item).toMatchObject({ state: "done", startedMs: 5000, endedMs: 5020, ranMs: 20, value: { id: "p1" }, exhausted: false });
    expect(nameOf(item)).toBe("step pack");
    expect(outcomeWords(item, NOW)).toBe("");
  });

  it("a step that is tried again", () => {
    const item = only([
      entry(1, "step/charge/2/attempt", { atMs: 5000, ranMs: 10, value: { error: lost, dueMs: 6000 } }),
      entry(2, "step/charge/2/attempt", { atMs: 6010, ranMs: 10, attempt: 2, value: { error: lost, dueMs: 15_000 } }),
    ]);
    expect(item).toMatchObject({ state: "open", startedMs: 4990, dueMs: 15_000, ranMs: 20, value: lost });
    expect(item.attempts.map(({ attempt, startedMs }) => [attempt, startedMs])).toEqual([
      [1, 4990],
      [2, 6000],
    ]);
    expect(nameOf(item)).toBe("step charge #2");
    expect(outcomeWords(item, NOW)).toBe("2 attempts, tried again in 5s");
    expect(errorWords(item.value)).toBe("TypeError: card declined");
  });

  it("a step that a person is to decide on, and what they decide", () => {
    const exhausted = entry(1, "step/charge/1/attempt", { value: { error: lost, dueMs: null } });
    expect(only([exhausted])).toMatchObject({ state: "open", exhausted: true });
    expect(outcomeWords(only([exhausted]), NOW)).toBe("a person is to decide");
    const given = only([exhausted, entry(2, "step/charge", { value: "paid" })]);
    expect(given).toMatchObject({ state: "done", byHand: true, value: "paid" });
    expect(given.attempts).toHaveLength(1);
    expect(outcomeWords(given, NOW)).toBe("result given by hand");
    const resumed = only([exhausted, entry(2, "step/charge/1/resumed"), entry(3, "step/charge", { ranMs: 5, value: "paid" })]);
    expect(resumed).toMatchObject({ state: "done", byHand: false, exhausted: false });
    expect(resumed.attempts.map(({ error }) => error)).toEqual([lost, null]);
  });

  it("a step that failed for good", () => {
    const item = only([entry(1, "step/charge/1/failed", { attempt: 1, ranMs: 3, value: lost })]);
    expect(item).toMatchObject({ state: "failed", value: lost, ranMs: 3 });
    expect(item.attempts).toMatchObject([{ attempt: 1, error: lost }]);
    expect(errorText({ ...lost, cause: { message: "no route" } })).toBe(`${lost.stack}\ncaused by no route`);
  });

  it.each([
    ["asleep", [entry(1, "sleep/rest/1/opened", { value: { dueMs: 13_000 } })], "open", "wakes in 3s"],
    ["due", [entry(1, "sleep/rest/1/opened", { value: { dueMs: 9000 } })], "open", "wakes now"],
    ["woken", [entry(1, "sleep/rest/1/opened", { value: { dueMs: 9000 } }), entry(2, "sleep/rest")], "done", ""],
    ["waiting", [entry(1, "wait/paid/1/opened", { value: { type: "order.paid", dueMs: null } })], "open", "order.paid"],
    [
      "waiting a while",
      [entry(1, "wait/paid/1/opened", { value: { type: "order.paid", dueMs: 70_000 } })],
      "open",
      "order.paid, times out in 1m",
    ],
    [
      "timed out",
      [entry(1, "wait/paid/1/opened", { value: { type: "order.paid", dueMs: 7000 } }), entry(2, "wait/paid")],
      "done",
      "order.paid, timed out",
    ],
    [
      "ended by its event",
      [
        entry(1, "wait/paid/1/opened", { value: { type: "order.paid" } }),
        entry(2, "wait/paid", { value: { seq: 9, event: { type: "order.paid" } } }),
      ],
      "done",
      "order.paid",
    ],
    [
      "ended by a signal",
      [
        entry(1, "wait/paid/1/opened", { value: { type: "order.paid" } }),
        entry(2, "wait/paid", { value: { seq: 0, event: { type: "millrace.signal" } } }),
      ],
      "done",
      "ended by a signal",
    ],
    ["a callback", [entry(1, "callback/ok", { value: { dueMs: 12_000 } })], "open", "not answered yet, times out in 2s"],
    ["answered", [entry(1, "callback/ok", { value: { dueMs: null } }), entry(2, "answer/ok", { value: true })], "done", "answered"],
    ["given up", [entry(1, "callback/ok", { value: { dueMs: 7000 } }), entry(2, "answer/ok", { atMs: 7000 })], "done", "timed out"],
    [
      "answered with nothing",
      [entry(1, "callback/ok", { value: { dueMs: 7000 } }), entry(2, "answer/ok", { atMs: 6000 })],
      "done",
      "answered",
    ],
    ["declined", [entry(1, "callback/ok", { value: {} }), entry(2, "answer/ok/1/failed", { value: lost })], "failed", "answered"],
    ["a call", [entry(1, "call/ship/1/opened", { value: { target: "shipping", id: "r7" } })], "open", "shipping r7"],
    ["a start", [entry(1, "start/audit", { value: { id: "r8" } })], "done", "audit r8"],
    ["a cancellation", [entry(1, "run/cancel/1/failed", { value: { reason: "by hand", rollback: true } })], "failed", "by hand"],
    ["a signal", [entry(1, "run/signal/1/opened", { value: { wait: "paid", data: "1" } })], "done", "for the wait paid"],
    ["an empty map", [entry(1, "map/tell/1/opened", { value: { total: 0 } })], "done", "0 of 0 done"],
  ] as const)("%s", (_, journal, state, words) => {
    const item = only(journal);
    expect([item.state, outcomeWords(item, NOW)]).toEqual([state, words]);
  });

  it("what was open when the run ended was given up", () => {
    const items = timelineOf(
      [
        entry(1, "wait/paid/1/opened", { value: { type: "order.paid", dueMs: 70_000 } }),
        entry(2, "sleep/rest/1/opened", { value: { dueMs: 70_000 } }),
        entry(3, "callback/ok", { value: { dueMs: null } }),
        entry(4, "step/charge/1/attempt", { value: { error: lost, dueMs: null } }),
        entry(5, "map/tell/1/opened", { value: { total: 3 } }),
        entry(6, "step/tell"),
        entry(7, "step/pack"),
      ],
      true,
    );
    expect(items.map((item) => `${item.state}: ${outcomeWords(item, NOW)}`)).toEqual([
      "given up: order.paid, given up",
      "given up: given up",
      "given up: not answered, given up",
      "given up: given up",
      "given up: 1 of 3 done, given up",
      "done: ",
    ]);
    expect(items[3]).toMatchObject({ exhausted: false, dueMs: null, value: lost });
  });

  it("the steps of a map are one with it; those of its name before it are not", () => {
    const items = timelineOf([
      entry(1, "step/tell"),
      entry(2, "map/tell/1/opened", { atMs: 5000, value: { total: 3 } }),
      entry(3, "step/tell/2", { atMs: 5100, ranMs: 50 }),
      entry(4, "step/tell/4/attempt", { atMs: 5110, ranMs: 40, value: { error: lost, dueMs: 6000 } }),
      entry(5, "step/tell/3/failed", { atMs: 5120, ranMs: 60, value: lost }),
      entry(6, "step/tell/4", { atMs: 6010, ranMs: 10, attempt: 2 }),
    ]);
    expect(items.map(nameOf)).toEqual(["step tell", "map tell"]);
    expect(items[1]).toMatchObject({ state: "failed", endedMs: 6010, ranMs: 160, items: { total: 3, done: 2, failed: 1 } });
    expect(outcomeWords(items[1] as TimelineItem, NOW)).toBe("2 of 3 done, 1 failed");
  });

  it("a map of which so many have failed as may is done", () => {
    const journal = (tolerated: number): Parameters<typeof timelineOf>[0] => [
      entry(1, "map/tell/1/opened", { value: { total: 2, tolerated } }),
      entry(2, "step/tell/1/failed", { value: lost }),
      entry(3, "step/tell/2"),
    ];
    const [enough] = timelineOf(journal(1));
    expect([enough?.state, enough && outcomeWords(enough, NOW)]).toEqual(["done", "1 of 2 done, 1 failed (1 tolerated)"]);
    expect(timelineOf(journal(0))[0]?.state).toBe("failed");
  });

  it("of two maps of one name the steps go to the later one as soon as it is there", () => {
    const items = timelineOf([
      entry(1, "map/tell/1/opened", { value: { total: 3 } }),
      entry(2, "step/tell/1/failed", { value: lost }),
      entry(3, "map/tell/2/opened", { value: { total: 1 } }),
      entry(4, "step/tell/2"),
      entry(5, "step/tell/3"),
    ]);
    expect(items.map(({ items, state }) => [items, state])).toEqual([
      [{ total: 3, done: 1, failed: 1, tolerated: 0 }, "open"],
      [{ total: 1, done: 1, failed: 0, tolerated: 0 }, "done"],
    ]);
  });
});

describe("costs", () => {
  it("are memory held for a time", () => {
    expect(costOf(1500, 128 * 1024 * 1024)).toBe(192);
  });

  it.each([
    [0, "0 MB·s"],
    [0.004, "<0.01 MB·s"],
    [1.283, "1.28 MB·s"],
    [12.34, "12.3 MB·s"],
    [192.4, "192 MB·s"],
  ])("%d is %s", (cost, text) => {
    expect(formatCost(cost)).toBe(text);
  });
});
