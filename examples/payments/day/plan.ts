import { randomFrom } from "../../driving/random.ts";
import { type Order, type Sku, skus } from "../order.ts";
import { UNKNOWN_MAILBOX } from "../world/mail-sink.ts";
import { testCards } from "../world/test-cards.ts";

/** Of this there is not enough for all who want it. */
export const SCARCE_SKU: Sku = "hand-mill";

const SCARCE_SHARE = 0.1;
const DECLINED_SHARE = 0.05;
const UNPAID_SHARE = 0.05;
const UNKNOWN_MAILBOX_SHARE = 0.05;
const MOST_PIECES = 3;

/** The same seed gives the same customers. */
export function planOrders(count: number, seed: number): readonly Order[] {
  const random = randomFrom(seed);
  const plenty = skus.filter((sku) => sku !== SCARCE_SKU);
  return Array.from({ length: count }, (_, i) => ({
    id: `order-${i}`,
    sku: random() < SCARCE_SHARE ? SCARCE_SKU : (plenty[Math.floor(random() * plenty.length)] ?? SCARCE_SKU),
    qty: 1 + Math.floor(random() * MOST_PIECES),
    card: cardOf(random()),
    email: random() < UNKNOWN_MAILBOX_SHARE ? UNKNOWN_MAILBOX : `customer-${i}@example.org`,
  }));
}

export function stockBefore(orders: number): ReadonlyMap<Sku, number> {
  return new Map(skus.map((sku) => [sku, sku === SCARCE_SKU ? Math.ceil(orders * SCARCE_SHARE) : orders * MOST_PIECES]));
}

/** Why an order cannot be sold, whatever else happens; null where it can. (Sold out it may be as well.) */
export function refusalOf({ card, email }: Order): string | null {
  if (card === testCards.declined) return "card declined";
  if (card === testCards.unpaid) return "the bank did not pay";
  return email === UNKNOWN_MAILBOX ? "unknown mailbox" : null;
}

function cardOf(chance: number): string {
  if (chance < DECLINED_SHARE) return testCards.declined;
  return chance < DECLINED_SHARE + UNPAID_SHARE ? testCards.unpaid : testCards.good;
}
