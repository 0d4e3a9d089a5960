/** What the shop sells. Stock that nobody has counted yet is the opening stock. */
export const catalogue = {
  "hand-mill": { name: "Hand mill, cast iron", priceCents: 14_900, openingStock: 100 },
  millstone: { name: "Millstone, 30 cm", priceCents: 8_900, openingStock: 40 },
  sifter: { name: "Drum sifter, beech", priceCents: 3_450, openingStock: 120 },
  "dough-bowl": { name: "Dough bowl, stoneware", priceCents: 2_800, openingStock: 200 },
  "bread-knife": { name: "Bread knife, 24 cm", priceCents: 4_200, openingStock: 150 },
  "proofing-basket": { name: "Proofing basket, rattan", priceCents: 1_650, openingStock: 300 },
  "rye-flour": { name: "Rye flour, 5 kg", priceCents: 980, openingStock: 2_000 },
  "spelt-flour": { name: "Spelt flour, 5 kg", priceCents: 1_240, openingStock: 2_000 },
  "wheat-flour": { name: "Wheat flour, 5 kg", priceCents: 790, openingStock: 3_000 },
  oats: { name: "Rolled oats, 2 kg", priceCents: 560, openingStock: 1_500 },
  malt: { name: "Barley malt, 500 g", priceCents: 430, openingStock: 800 },
  sourdough: { name: "Sourdough starter", priceCents: 390, openingStock: 500 },
} as const satisfies Record<string, Product>;

export interface Product {
  readonly name: string;
  readonly priceCents: number;
  readonly openingStock: number;
}

export type Sku = keyof typeof catalogue;

export const skus = Object.keys(catalogue) as Sku[];

export function isSku(text: string): text is Sku {
  return Object.hasOwn(catalogue, text);
}
