import { describe, expect, it } from "vitest";
import { doomOf, STOCK } from "./app/fates.ts";
import { effectsOf, faultsIn, type Found, type Item, type Sent } from "./model.ts";

/** The judge of the process tests is judged here: a right run has no fault, and each way to go wrong is found. */

const events: Item[] = Array.from({ length: 60 }, (_, n) => {
  return { id: `e${n}`, kind: "event", account: `acc${n % 3}`, group: n % 2 === 0 ? "a" : "c", sku: null };
});
const orders: Item[] = Array.from({ length: STOCK + 20 }, (_, n) => ({
  id: `o${n}`,
  kind: "order",
  account: "x",
  group: "a",
  sku: "flash",
}));
const acknowledged = (item: Item): Sent => ({
  items: [item],
  outcome: "acknowledged",
  answeredBy: item.kind === "order" ? `by-${item.id}` : null,
});
const sent = [...events, ...orders].map(acknowledged);

/** A node that did everything right, then whatever `spoil` does to it. */
function after(
  spoil: (node: { kv: Map<string, unknown>; dead: { fn: string; id: string }[]; log: { type: string; id: string }[] }) => void = () => {},
): Found {
  const kv = new Map<string, unknown>();
  const node = { kv, dead: [] as { fn: string; id: string }[], log: [] as { type: string; id: string }[] };
  for (const item of [...events, ...orders]) {
    const { counts, dead, events } = effectsOf(item);
    for (const key of counts) kv.set(key, 1);
    for (const letter of dead) node.dead.push({ fn: letter.split("/")[0] ?? "", id: item.id });
    for (const name of events) node.log.push({ type: name.split("/")[0] ?? "", id: item.id });
  }
  for (const { id, account } of events) kv.set(`list/${account}`, [...((kv.get(`list/${account}`) as string[] | undefined) ?? []), id]);
  for (const [n, { id }] of orders.entries()) {
    kv.set(`answer/${id}`, `by-${id}`);
    for (const sale of ["sale", "grab"]) kv.set(n < STOCK ? `${sale}/sold/${id}` : `${sale}/refused/${id}`, 1);
  }
  for (const sale of ["sale", "grab"]) kv.set(`${sale}/stock`, 0);
  spoil(node);
  return node;
}

const doomed = events.find(({ id }) => doomOf(id) !== "none")?.id ?? "";
const healthy = events.find(({ id }) => doomOf(id) === "none")?.id ?? "";

describe("the model of the process tests", () => {
  it("finds nothing in a run that went right", () => {
    expect(faultsIn(sent, after())).toEqual([]);
    expect(doomed).not.toBe("");
  });

  it.each<[string, Parameters<typeof after>[0], RegExp]>([
    ["a lost delivery", ({ kv }) => kv.delete("count/parent/e7"), /^lost: count\/parent\/e7/],
    ["effects twice", ({ kv }) => kv.set("count/flaky/e7", 2), /^repeated: count\/flaky\/e7 is 2/],
    ["effects of a failed attempt", ({ kv }) => kv.set(`count/doomed/${doomed}`, 1), /^from nowhere: count\/doomed/],
    ["a function that was not meant", ({ kv }) => kv.set("count/chosen/e1", 1), /^from nowhere: count\/chosen\/e1/],
    ["a lost event", ({ log }) => log.splice(0, 1), /^lost: event load.event\/e0/],
    ["an event twice", ({ log }) => log.push({ type: "load.child", id: "e3" }), /^repeated: event load.child\/e3 stands 2 times/],
    ["a dead letter too many", ({ dead }) => dead.push({ fn: "doomed", id: healthy }), /^dead without need/],
    ["a dead letter too few", ({ dead }) => dead.splice(0), /^should be dead: doomed/],
    ["another function's dead letter", ({ dead }) => dead.push({ fn: "tally", id: healthy }), /^dead without need: tally/],
    ["a ledger out of order", ({ kv }) => (kv.get("list/acc0") as string[]).reverse(), /^order: list\/acc0/],
    ["a ledger with a gap", ({ kv }) => (kv.get("list/acc1") as string[]).splice(3, 1), /^order: list\/acc1/],
    ["a ledger with too much", ({ kv }) => (kv.get("list/acc2") as string[]).push("e2"), /^from nowhere: list\/acc2/],
    ["another answer", ({ kv }) => kv.set("answer/o5", "by-another"), /^answer: order o5/],
    ["one oversold", ({ kv }) => kv.set(`sale/sold/o${STOCK}`, 1).delete(`sale/refused/o${STOCK}`), /^sale: 101 sold/],
    ["an order sold and refused", ({ kv }) => kv.set("grab/refused/o1", 1), /^grab: order o1/],
  ])("finds %s", (_what, spoil, expected) => {
    expect(faultsIn(sent, after(spoil)).some((fault) => expected.test(fault))).toBe(true);
  });

  it("a request that was given up is kept whole or not at all", () => {
    const batch: Sent = {
      items: ["g1", "g2"].map((id) => ({ id, kind: "event", account: "given-up", group: "c", sku: null })),
      outcome: "given up",
      answeredBy: null,
    };
    expect(faultsIn([...sent, batch], after())).toEqual([]);
    const half = faultsIn(
      [...sent, batch],
      after(({ log }) => log.push({ type: "load.event", id: "g1" })),
    );
    expect(half).toContain("lost: event load.event/g2 is not in the log");
    expect(half).toContain("lost: count/parent/g1 was never counted");
  });
});
