import { createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { randomFrom } from "../../driving/random.ts";
import { HEADER, type Sum, type Sums } from "../sales.ts";

const REGIONS = ["north", "east", "south", "west", "isles"];
const PRODUCTS = Array.from({ length: 40 }, (_, i) => `product-${i + 1}`);
const BLOCK_ROWS = 2_000;

/** What was written, as the writer knows it: it adds up while it writes, not by reading. */
export interface Written {
  readonly sizeBytes: number;
  readonly sums: Sums;
}

/** So many rows of CSV, block by block as the disk takes them; the same for the same seed. */
export async function writeSales(path: string, rows: number, seed: number): Promise<Written> {
  const sums = new Map<string, Sum>();
  await pipeline(blocks(rows, seed, sums), createWriteStream(path));
  return { sizeBytes: (await stat(path)).size, sums: Object.fromEntries(sums) };
}

function* blocks(rows: number, seed: number, sums: Map<string, Sum>): Generator<string> {
  const random = randomFrom(seed);
  const oneOf = (all: readonly string[]): string => all[Math.floor(random() * all.length)] ?? "";
  yield `${HEADER}\n`;
  for (let first = 0; first < rows; first += BLOCK_ROWS) {
    let block = "";
    for (let id = first; id < Math.min(first + BLOCK_ROWS, rows); id++) {
      const [region, product] = [oneOf(REGIONS), oneOf(PRODUCTS)];
      const pieces = 1 + Math.floor(random() * 9);
      const cents = pieces * (100 + Math.floor(random() * 9_900));
      block += `${id},${region},${product},${pieces},${cents}\n`;
      const key = `${region}/${product}`;
      const before = sums.get(key) ?? { rows: 0, pieces: 0, cents: 0 };
      sums.set(key, { rows: before.rows + 1, pieces: before.pieces + pieces, cents: before.cents + cents });
    }
    yield block;
  }
}
