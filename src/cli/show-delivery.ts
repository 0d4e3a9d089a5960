import type { Event } from "../control/client/index.ts";
import type { Colors } from "./io.ts";
import { moment } from "./times.ts";

type Delivery = Event["deliveries"][number];

/** What is shown of a state: whether a delivery waits behind its key is a detail of waiting. */
export function stateWord(state: Delivery["state"], colors: Colors): string {
  switch (state) {
    case "done":
      return colors.green("done");
    case "parked":
      return colors.dim("asleep");
    case "ready":
    case "blocked":
      return colors.yellow("waiting");
    case "dead":
    case "held":
      return colors.red("dead");
    default:
      return state satisfies never;
  }
}

/** `2 done, 1 dead`. */
export function summarize(deliveries: readonly Delivery[], colors: Colors): string {
  if (deliveries.length === 0) return colors.dim("woke nobody");
  const counts = new Map<string, number>();
  for (const { state } of deliveries) {
    const word = stateWord(state, colors);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, count]) => `${count} ${word}`).join(", ");
}

/** A delivery with all its failed attempts. */
export function showAttempts(delivery: Delivery, nowMs: number, colors: Colors): string[] {
  return delivery.errors.flatMap(({ attempt, endedMs, name, message, stack, invocation }) => [
    `    attempt ${attempt}, ${moment(endedMs, nowMs)}, invocation ${invocation}`,
    ...indent(colors.red(stack ?? `${name}: ${message}`), "      "),
  ]);
}

function indent(text: string, by: string): string[] {
  return text.split("\n").map((line) => by + line);
}
