import { centsOf, type Order, skus } from "../order.ts";
import type { Reservation } from "../stock.ts";
import type { LedgerEntry } from "../world/ledger.ts";
import type { KeptMail } from "../world/mail-sink.ts";
import { refusalOf } from "./plan.ts";
import type { Booked, Outcome } from "./shop-client.ts";

/** What four witnesses say who know nothing of each other: the customers, the payment service, the shop's kv, the mail server. */
export interface DayFacts {
  readonly orders: readonly Order[];
  readonly outcomes: ReadonlyMap<string, Outcome["end"]>;
  readonly ledger: readonly LedgerEntry[];
  readonly reservations: readonly (Booked & Reservation)[];
  readonly paid: readonly (Booked & { readonly cents: number })[];
  readonly mails: readonly KeptMail[];
  readonly before: ReadonlyMap<string, number>;
  readonly after: Readonly<Record<string, number>>;
}

export interface Account {
  readonly sold: number;
  readonly givenUp: Readonly<Record<string, number>>;
  /** The same sum, as each of them has it. */
  readonly cents: { readonly sold: number; readonly taken: number; readonly booked: number; readonly mailed: number };
  /** Empty when it balances. */
  readonly differences: readonly string[];
}

export function auditDay(facts: DayFacts): Account {
  const soldOrders = facts.orders.filter(({ id }) => facts.outcomes.get(id) === "sold");
  const cents = {
    sold: sum(soldOrders.map(centsOf)),
    taken: sum(facts.ledger.map(({ captures, refunds, cents: each }) => (captures - refunds) * each)),
    booked: sum(facts.paid.map((entry) => entry.cents)),
    mailed: sum(facts.mails.map(({ text }) => Number(/^Total: (\d+) cents$/m.exec(text)?.[1] ?? Number.NaN))),
  };
  return {
    sold: soldOrders.length,
    givenUp: reasonsOf(facts),
    cents,
    differences: [...orderDifferences(facts), ...stockDifferences(facts), ...sumDifferences(cents), ...strayDifferences(facts)],
  };
}

/** Each order whole, or nothing of it. */
function orderDifferences(facts: DayFacts): string[] {
  const payments = Map.groupBy(facts.ledger, ({ order }) => order);
  const reservations = Map.groupBy(facts.reservations, ({ order }) => order);
  const paid = Map.groupBy(facts.paid, ({ order }) => order);
  const mails = Map.groupBy(facts.mails, ({ subject }) => subject);
  return facts.orders.flatMap((order) => {
    const { id } = order;
    const traces: Traces = {
      payments: payments.get(id) ?? [],
      reservations: reservations.get(id) ?? [],
      paid: paid.get(id) ?? [],
      mails: mails.get(`Your order ${id}`) ?? [],
    };
    const end = facts.outcomes.get(id);
    const wrong = end === "sold" ? faultsOfSold(order, traces) : end === "given up" ? faultsOfGivenUp(traces) : ["has no outcome"];
    return wrong.map((words) => `${id} (${end ?? "lost"}): ${words}`);
  });
}

interface Traces {
  readonly payments: readonly LedgerEntry[];
  readonly reservations: readonly (Booked & Reservation)[];
  readonly paid: readonly Booked[];
  readonly mails: readonly KeptMail[];
}

function faultsOfSold(order: Order, { payments, reservations, paid, mails }: Traces): string[] {
  const refusal = refusalOf(order);
  return [
    ...(refusal === null ? [] : [`should not have been sold: ${refusal}`]),
    ...unless(count(payments, "holds") === 1, `authorised ${count(payments, "holds")} times`),
    ...unless(count(payments, "captures") === 1, `captured ${count(payments, "captures")} times`),
    ...unless(count(payments, "refunds") === 0 && !payments.some(({ closed }) => closed), "refunded or voided"),
    ...unless(reservations.length === 1, `reserved ${reservations.length} times`),
    ...unless(
      reservations.every(({ sku, qty }) => sku === order.sku && qty === order.qty),
      "something else was reserved",
    ),
    ...unless(paid.length === 1, `booked ${paid.length} times`),
    ...unless(mails.length === 1, `mailed ${mails.length} times`),
    ...unless(
      mails.every(({ to }) => to === order.email),
      "mailed to somebody else",
    ),
  ];
}

function faultsOfGivenUp({ payments, reservations, paid, mails }: Traces): string[] {
  return [
    ...unless(
      payments.every(({ captures, refunds }) => captures === refunds),
      "not all that was taken was given back, or too much",
    ),
    ...unless(
      payments.every(({ holds, closed }) => holds === 0 || closed),
      "still authorised",
    ),
    ...unless(reservations.length === 0, "still reserved"),
    ...unless(paid.length === 0, "still booked"),
    ...unless(mails.length === 0, "mailed"),
  ];
}

function stockDifferences({ reservations, before, after }: DayFacts): string[] {
  const reserved = Map.groupBy(reservations, ({ sku }) => sku);
  return skus.flatMap((sku) => {
    const had = before.get(sku) ?? 0;
    const gone = sum((reserved.get(sku) ?? []).map(({ qty }) => qty));
    return unless(had - gone === after[sku], `${sku}: ${had} less ${gone} reserved should leave ${had - gone}, but ${after[sku]} are left`);
  });
}

function sumDifferences(cents: Account["cents"]): string[] {
  return unless(new Set(Object.values(cents)).size === 1, `the sums differ: ${JSON.stringify(cents)}`);
}

/** Whatever nobody ordered. (A voided payment that was never heard of names no order.) */
function strayDifferences({ orders, ledger, reservations, mails }: DayFacts): string[] {
  const known = new Set(orders.map(({ id }) => id));
  const named = [
    ...ledger.filter(({ holds }) => holds > 0).map(({ order }) => order),
    ...reservations.map(({ order }) => order),
    ...mails.map(({ subject }) => subject.replace("Your order ", "")),
  ];
  return [...new Set(named)].filter((id) => !known.has(id)).map((id) => `nobody ordered ${id}`);
}

function reasonsOf({ orders, outcomes }: DayFacts): Record<string, number> {
  const givenUp = orders.filter(({ id }) => outcomes.get(id) === "given up");
  const reasons = Map.groupBy(givenUp, (order) => refusalOf(order) ?? "sold out, or nobody answered");
  return Object.fromEntries([...reasons].map(([reason, those]) => [reason, those.length]));
}

function unless(right: boolean, words: string): string[] {
  return right ? [] : [words];
}

function count(payments: readonly LedgerEntry[], what: "holds" | "captures" | "refunds"): number {
  return sum(payments.map((payment) => payment[what]));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
