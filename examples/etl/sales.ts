/** Of each region and product what was sold: pieces and cents, and in how many rows. */
export interface Sum {
  readonly rows: number;
  readonly pieces: number;
  readonly cents: number;
}

export type Sums = Readonly<Record<string, Sum>>;

export const HEADER = "id,region,product,pieces,cents";

const NOTHING: Sum = { rows: 0, pieces: 0, cents: 0 };

/** Of whole lines of CSV. There is nothing quoted in them. */
export function sumOf(csv: string): Sums {
  const sums = new Map<string, { rows: number; pieces: number; cents: number }>();
  for (const line of csv.split("\n")) {
    if (line === "" || line === HEADER) continue;
    const [, region = "", product = "", pieces, cents] = line.split(",");
    const key = `${region}/${product}`;
    let sum = sums.get(key);
    if (sum === undefined) sums.set(key, (sum = { ...NOTHING }));
    sum.rows++;
    sum.pieces += Number(pieces);
    sum.cents += Number(cents);
  }
  return Object.fromEntries(sums);
}

export function addUp(parts: readonly Sums[]): Sums {
  const total: Record<string, Sum> = {};
  for (const part of parts) {
    for (const [key, { rows, pieces, cents }] of Object.entries(part)) {
      const before = total[key] ?? NOTHING;
      total[key] = { rows: before.rows + rows, pieces: before.pieces + pieces, cents: before.cents + cents };
    }
  }
  return total;
}
