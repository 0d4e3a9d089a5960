import { tried } from "./trial.ts";

/** What is longer is not read. */
const MOST_CHARACTERS = 160;

/** Why, and what would be true instead: said only where it would be. */
export function proposal(why: string, instead: string, event: object): string | undefined {
  if (tried(instead, event) !== true) return undefined;
  return instead.length > MOST_CHARACTERS ? why : `${why}; ${instead} would be true`;
}

/** Why, and what to write so that there is no error: said only where there would be none. */
export function withoutError(why: string, instead: string, event: object): string {
  const isGood = instead.length <= MOST_CHARACTERS && typeof tried(instead, event) === "boolean";
  return isGood ? `${why}; write ${instead}` : why;
}
