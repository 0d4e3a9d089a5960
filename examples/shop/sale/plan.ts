import { randomFrom } from "../../driving/random.ts";
import { type Sku, skus } from "../catalogue.ts";
import { testCards } from "../payment-provider.ts";

export const HOT_SKU: Sku = "hand-mill";
export const HOT_STOCK = 100;

const HOT_SHARE = 0.3;
const DECLINED_SHARE = 0.02;
const SLOW_SHARE = 0.001;
const MOST_PIECES = 3;

export interface WantedOrder {
  readonly sku: Sku;
  readonly qty: number;
  readonly email: string;
  readonly card: string;
}

/** The same seed gives the same customers. */
export function planOrders(count: number, seed: number): WantedOrder[] {
  const random = randomFrom(seed);
  const others = skus.filter((sku) => sku !== HOT_SKU);
  return Array.from({ length: count }, (_, i) => {
    const email = `customer-${i}@example.org`;
    // Good cards only: a piece that came back after the last customer had been turned away would stay unsold.
    if (random() < HOT_SHARE) return { sku: HOT_SKU, qty: 1, email, card: testCards.good };
    const sku = others[Math.floor(random() * others.length)] ?? HOT_SKU;
    return { sku, qty: 1 + Math.floor(random() * MOST_PIECES), email, card: anyCard(random()) };
  });
}

/** Of the hot product too little; of the others enough, whatever the customers want. */
export function stockBefore(orders: number): ReadonlyMap<Sku, number> {
  return new Map(skus.map((sku) => [sku, sku === HOT_SKU ? HOT_STOCK : orders * MOST_PIECES]));
}

export function isDeclined(card: string): boolean {
  return card === testCards.noCover;
}

function anyCard(chance: number): string {
  if (chance < DECLINED_SHARE) return testCards.noCover;
  return chance < DECLINED_SHARE + SLOW_SHARE ? testCards.slow : testCards.good;
}
