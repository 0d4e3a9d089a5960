import { Random } from "../../test/process/random.ts";
import type { Alternative, Pattern } from "../../src/events/patterns/index.ts";
import { makeLots } from "./lots.ts";

/** How many rules want the same type. */
const RULES_PER_TYPE = 10;

const EVENTS = 4096;

/** An event as EventBridge delivers it. */
export interface BusEvent {
  readonly id: string;
  readonly source: string;
  readonly "detail-type": string;
  readonly detail: object;
}

export type MixedRule = Pattern & { readonly "detail-type": readonly [string]; readonly detail: Pattern };

/** Rules as people write them: the type, exactly, and one more condition of a kind that all rivals know, each kind about as often. */
export function makeMixedRules(count: number): MixedRule[] {
  const random = new Random(3);
  return Array.from({ length: count }, (_, i) => ({ "detail-type": [typeName(i % typeCount(count))], detail: condition(random) }));
}

/** City lots of the types that the rules ask for, each as often as the others. */
export function makeMixedEvents(rules: number): BusEvent[] {
  const random = new Random(4);
  return makeLots(EVENTS, 5).map((text, i) => ({
    id: `e-${i}`,
    source: "/lots",
    "detail-type": typeName(random.whole(0, typeCount(rules) - 1)),
    detail: JSON.parse(text) as object,
  }));
}

function typeCount(rules: number): number {
  return Math.max(1, rules / RULES_PER_TYPE);
}

function typeName(n: number): string {
  return `lot.changed.${n}`;
}

function condition(random: Random): Pattern {
  const street = (alternative: Alternative): Pattern => ({ properties: { STREET: [alternative] } });
  const name = random.pick(["FULTON", "MASON", "HYDE", "IRVING", "MISSION", "CHESTNUT"]);
  switch (random.whole(0, 6)) {
    case 0:
      return street(name);
    case 1:
      return street({ prefix: name.slice(0, 2) });
    case 2:
      return street({ suffix: name.slice(-2) });
    case 3:
      return street({ "equals-ignore-case": name.toLowerCase() });
    case 4:
      return street({ "anything-but": [name] });
    case 5:
      return { geometry: { firstCoordinates: { x: [{ numeric: ["<", -122.35 - random.next() / 10] }] } } };
    default:
      return { properties: { ODD_EVEN: [{ exists: random.chance(0.5) }] } };
  }
}
