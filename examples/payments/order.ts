const prices = { "hand-mill": 14_900, millstone: 8_900, sifter: 2_450, "rye-flour": 980 };

export type Sku = keyof typeof prices;
export const skus = Object.keys(prices) as readonly Sku[];

/** What a customer sends. */
export interface Order {
  readonly id: string;
  readonly sku: Sku;
  readonly qty: number;
  readonly email: string;
  readonly card: string;
}

export function centsOf({ sku, qty }: Pick<Order, "sku" | "qty">): number {
  return prices[sku] * qty;
}

export function isSku(text: unknown): text is Sku {
  return typeof text === "string" && Object.hasOwn(prices, text);
}

export function isOrder(value: unknown): value is Order {
  if (typeof value !== "object" || value === null) return false;
  const { id, sku, qty, email, card } = value as Partial<Record<keyof Order, unknown>>;
  return isText(id) && isSku(sku) && Number.isSafeInteger(qty) && Number(qty) > 0 && isText(email) && isText(card);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && /^[^\r\n]+$/.test(value);
}
