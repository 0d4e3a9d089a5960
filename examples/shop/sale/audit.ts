import type { Mail } from "../functions/mails.ts";
import type { OrderRecord } from "../progress.ts";
import { HOT_SKU, HOT_STOCK, isDeclined, type WantedOrder } from "./plan.ts";

/** All that is known of a sale after its end. */
export interface SaleFacts {
  /** What was accepted, by the id that the shop gave. */
  readonly accepted: ReadonlyMap<string, WantedOrder>;
  readonly orders: ReadonlyMap<string, OrderRecord>;
  readonly mails: ReadonlyMap<string, readonly Mail[]>;
  readonly before: ReadonlyMap<string, number>;
  readonly after: ReadonlyMap<string, number>;
  readonly alarms: number;
}

export interface Audit {
  readonly sold: ReadonlyMap<string, number>;
  readonly rejected: ReadonlyMap<string, number>;
  readonly mails: number;
  /** Empty when the shop has sold what it had, to each customer one answer. */
  readonly differences: readonly string[];
}

/** Every customer has an answer. Stock that goes back may still be on its way. */
export function isSettled({ accepted, orders, mails }: Pick<SaleFacts, "accepted" | "orders" | "mails">): boolean {
  return mails.size === accepted.size && [...accepted.keys()].every((id) => isFinal(orders.get(id)));
}

/** The books, checked by plain arithmetic. */
export function auditSale(facts: SaleFacts): Audit {
  const sold = sumBy(facts.orders.values(), (order) => (order.state === "confirmed" ? [order.sku, order.qty] : null));
  const rejected = sumBy(facts.orders.values(), (order) => (order.state === "rejected" ? [order.reason, 1] : null));
  const mails = [...facts.mails.values()].reduce((sum, all) => sum + all.length, 0);
  const differences = [...outcomeFaults(facts), ...stockFaults(facts, sold), ...rejectionFaults(facts, rejected)];
  if (facts.alarms > 0) differences.push(`${facts.alarms} deliveries are dead`);
  return { sold, rejected, mails, differences };
}

function outcomeFaults({ accepted, orders, mails }: SaleFacts): string[] {
  return [...accepted.keys()].flatMap((id) => {
    const order = orders.get(id);
    if (!isFinal(order)) return [`order ${id} was accepted and is ${order?.state ?? "lost"}`];
    const sent = mails.get(id) ?? [];
    if (sent.length !== 1) return [`order ${id} has ${sent.length} mails, not one`];
    const toldOfSuccess = sent[0]?.text.includes("parcel") ?? false;
    return toldOfSuccess === (order.state === "confirmed") ? [] : [`order ${id} is ${order.state}, its mail says something else`];
  });
}

function stockFaults({ accepted, before, after }: SaleFacts, sold: ReadonlyMap<string, number>): string[] {
  const faults = [...before].flatMap(([sku, count]) => {
    const expected = count - (sold.get(sku) ?? 0);
    const left = after.get(sku);
    return left === expected ? [] : [`${sku}: ${count} less ${sold.get(sku) ?? 0} sold should leave ${expected}, but ${left} are left`];
  });
  const wanted = [...accepted.values()].filter(({ sku }) => sku === HOT_SKU).length;
  const hotSold = sold.get(HOT_SKU) ?? 0;
  const expected = Math.min(wanted, HOT_STOCK);
  return hotSold === expected ? faults : [...faults, `${HOT_SKU}: ${hotSold} were sold, not ${expected}`];
}

function rejectionFaults({ accepted }: SaleFacts, rejected: ReadonlyMap<string, number>): string[] {
  const wanted = [...accepted.values()];
  const expected = new Map([
    ["sold out", Math.max(0, wanted.filter(({ sku }) => sku === HOT_SKU).length - HOT_STOCK)],
    ["card declined", wanted.filter(({ card }) => isDeclined(card)).length],
  ]);
  const reasons = new Set([...expected.keys(), ...rejected.keys()]);
  return [...reasons].flatMap((reason) => {
    const [found, due] = [rejected.get(reason) ?? 0, expected.get(reason) ?? 0];
    return found === due ? [] : [`${found} orders were rejected for "${reason}", not ${due}`];
  });
}

type Final = Extract<OrderRecord, { readonly state: "confirmed" | "rejected" }>;

function isFinal(order: OrderRecord | undefined): order is Final {
  return order?.state === "confirmed" || order?.state === "rejected";
}

function sumBy(orders: Iterable<OrderRecord>, part: (order: OrderRecord) => readonly [string, number] | null): Map<string, number> {
  const sums = new Map<string, number>();
  for (const order of orders) {
    const [name, amount] = part(order) ?? ["", 0];
    if (amount > 0) sums.set(name, (sums.get(name) ?? 0) + amount);
  }
  return sums;
}
