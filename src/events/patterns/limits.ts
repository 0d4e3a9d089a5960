import { MillraceError } from "../../core/index.ts";

/** Beyond this the walk refuses: it goes down by recursion, and objects go no deeper than the pattern. */
const MAX_ARRAY_LEVELS = 256;

export function checkArrayLevels(levels: number): void {
  if (levels > MAX_ARRAY_LEVELS)
    throw new MillraceError("bad_event", `the event nests arrays more than ${MAX_ARRAY_LEVELS} levels deep where a pattern looks`);
}

const MAX_WAYS = 256;

export function checkWays(ways: number): void {
  if (ways > MAX_WAYS)
    throw new MillraceError(
      "bad_event",
      `the event spells the same paths with and without dots in more than ${MAX_WAYS} ways where a pattern looks`,
    );
}

const MAX_ELEMENTS_WITH_WAYS = 1000;

/** There every element costs its combinations, for every rule that looks: a small event could hold up a node for seconds. */
export function checkElements(elements: number): void {
  if (elements > MAX_ELEMENTS_WITH_WAYS)
    throw new MillraceError(
      "bad_event",
      `the event spells the same paths with and without dots, with an array of more than ${MAX_ELEMENTS_WITH_WAYS} objects below, where a pattern looks`,
    );
}
