import type { Random } from "../../test/process/random.ts";
import { deal } from "./deck.ts";

/** What the rules look for in MAPBLKLOT beyond single lots. */
const BLOCKS_143 = /^143/;
const ZIGZAG_2017 = /^2.*0.*1.*7$/;
const LOTS_218 = /218$/;
const ZIGZAG_352 = /^3.*5.*2$/;
const LOOKED_FOR = [BLOCKS_143, ZIGZAG_2017, LOTS_218, ZIGZAG_352];

/** Numbers of lots (a block of four digits, a lot of three), met by the rules of EXACT and WILDCARD as often as real ones. */
export function dealLotNumbers(count: number, random: Random): string[] {
  const digits = (length: number, most: number): string => String(random.whole(1, most)).padStart(length, "0");
  const drawOnly = (wanted?: RegExp): string => {
    for (;;) {
      const number = digits(4, 7400) + digits(3, random.chance(0.8) ? 80 : 300);
      if (LOOKED_FOR.every((shape) => shape.test(number) === (shape === wanted))) return number;
    }
  };
  const cards = [
    { lots: 1, draw: () => "1430022" },
    { lots: 489, draw: () => drawOnly(BLOCKS_143) },
    { lots: 101, draw: () => "2607117" },
    { lots: 612, draw: () => drawOnly(ZIGZAG_2017) },
    { lots: 35, draw: () => "2607218" },
    { lots: 8, draw: () => drawOnly(LOTS_218) },
    { lots: 655, draw: () => "3745012" },
    { lots: 1885, draw: () => drawOnly(ZIGZAG_352) },
    { lots: 1, draw: () => "VACSTWIL" },
  ];
  return deal(count, cards, () => drawOnly(), random);
}
