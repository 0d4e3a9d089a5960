import { randomFrom } from "../../driving/random.ts";

/** How the payment service takes a request. */
export type ServiceMood =
  | { readonly kind: "well" }
  /** Says 503 and does nothing. */
  | { readonly kind: "fails" }
  /** Does it, and hangs up without a word. */
  | { readonly kind: "hangs up" }
  /** Does it after a while, and answers then. */
  | { readonly kind: "late"; readonly ms: number };

/** When the notice of a capture goes out: so much later, once or twice; empty: never. */
export type NoticeTimes = readonly number[];

export type MailMood = "well" | "busy" | "loses it" | "hangs up";

/** What goes wrong in the world. */
export interface Moods {
  service(): ServiceMood;
  notice(): NoticeTimes;
  mail(): MailMood;
}

export const goodMoods: Moods = {
  service: () => ({ kind: "well" }),
  notice: () => [0],
  mail: () => "well",
};

/** Longer than a step of the checkout waits: a request that is so late is asked again before it is done. */
const TOO_LATE_MS = 2_500;

/** The same seed gives the same chances; which request has which is a matter of who comes first. */
export function randomMoods(seed: number): Moods {
  const random = randomFrom(seed);
  return {
    service: () => serviceMood(random(), random()),
    notice: () => noticeTimes(random(), random()),
    mail: () => mailMood(random()),
  };
}

function serviceMood(chance: number, more: number): ServiceMood {
  if (chance < 0.06) return { kind: "fails" };
  if (chance < 0.1) return { kind: "hangs up" };
  if (chance < 0.12) return { kind: "late", ms: TOO_LATE_MS };
  if (chance < 0.2) return { kind: "late", ms: Math.round(more * 500) };
  return { kind: "well" };
}

function noticeTimes(chance: number, more: number): NoticeTimes {
  if (chance < 0.03) return [];
  if (chance < 0.06) return [4_000];
  if (chance < 0.16) return [more * 50, more * 400];
  return [more * 50];
}

function mailMood(chance: number): MailMood {
  if (chance < 0.05) return "busy";
  if (chance < 0.09) return "loses it";
  if (chance < 0.13) return "hangs up";
  return "well";
}
