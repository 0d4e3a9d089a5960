import type { Random } from "../../test/process/random.ts";
import { type Card, deal } from "./deck.ts";

/** Streets that the rules look for, with how many lots lie on them. */
const STREETS: readonly (readonly [lots: number, name: string])[] = [
  [1910, "FULTON"],
  [477, "FUNSTON"],
  [2657, "MASON"],
  [293, "MASONIC"],
  [22, "MOULTON"],
  [131, "JEFFERSON"],
  [6000, "MISSION"],
  [4000, "WASHINGTON"],
  [2724, "JACKSON"],
  [24, "ACADIA"],
  [442, "BLYTHDALE"],
  [13, "DRUMM"],
  [25, "DRAKE"],
  [846, "LAKE"],
  [328, "RHODE ISLAND"],
  [1963, "IRVING"],
  [682, "SANTIAGO"],
  [211, "BEACH"],
  [1758, "HYDE"],
  [825, "CHESTNUT"],
];

/** And others, none of which a rule looks for. */
const OTHER_STREETS = [
  "UNKNOWN",
  "CALIFORNIA",
  "GEARY",
  "NORIEGA",
  "MORAGA",
  "JUDAH",
  "KIRKHAM",
  "LAWTON TERRACE",
  "SACRAMENTO",
  "CLAY",
  "PINE",
  "BUSH",
  "SUTTER",
  "PAGE",
  "HAIGHT",
  "GUERRERO",
  "DOLORES",
  "VALENCIA",
  "SAN BRUNO",
  "03RD",
  "19TH",
  "24TH",
  "46TH",
];

export function dealStreets(count: number, random: Random): string[] {
  const cards = STREETS.map(([lots, name]) => ({ lots, draw: () => name }));
  return deal(count, cards, () => random.pick(OTHER_STREETS), random);
}

/** "ST" and what else begins with S or ends in T; null where a lot has none. */
export function dealStreetTypes(count: number, random: Random): (string | null)[] {
  const cards: Card<string | null>[] = [
    { lots: 116_386, draw: () => "ST" },
    { lots: 15, draw: () => "STWY" },
    { lots: 1774, draw: () => "CT" },
    { lots: 9000, draw: () => null },
  ];
  return deal(count, cards, () => random.pick(["AVE", "AVE", "AVE", "AVE", "BLVD", "WAY", "DR", "TER", "PL", "LN"]), random);
}

/** House numbers: 441, others that begin with 44, others that end in 41, and none of these. */
export function dealHouseNumbers(count: number, random: Random): string[] {
  const drawPlain = (): string => {
    for (;;) {
      const number = String(random.whole(1, 4999));
      if (!/^44|41$/.test(number)) return number;
    }
  };
  const cards = [
    { lots: 2453, draw: () => "441" },
    { lots: 1524, draw: () => `44${random.pick(["", "0", "2", "3", "5", "7", "9"])}` },
    { lots: 1560, draw: () => `${random.whole(1, 39)}41` },
  ];
  return deal(count, cards, drawPlain, random);
}
