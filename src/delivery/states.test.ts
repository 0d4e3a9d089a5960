import { describe, expect, it } from "vitest";
import { type Happening, next, type State, TRANSITIONS } from "./states.ts";

const states = Object.keys(TRANSITIONS) as State[];

describe("the states of a delivery", () => {
  it("D1: only a running delivery can be settled", () => {
    const settling: Happening[] = ["succeed", "put-back", "give-up", "give-up-and-hold"];
    const able = states.filter((state) => settling.some((happening) => next(state, happening) !== null));
    expect(able).toEqual(["running"]);
  });

  it("D2: nothing leaves done", () => {
    expect(Object.values(TRANSITIONS.done).every((to) => to === null)).toBe(true);
  });

  it("D6: a person can redrive what is dead or held, and nothing else", () => {
    expect(states.filter((state) => next(state, "redrive") !== null)).toEqual(["dead", "held"]);
  });

  it("D1: every state can be reached from ready or blocked", () => {
    const reached = new Set<State>(["ready", "blocked"]);
    for (let grown = true; grown;) {
      grown = false;
      for (const state of reached) {
        for (const to of Object.values(TRANSITIONS[state])) {
          if (to !== null && !reached.has(to)) grown = reached.add(to) !== undefined;
        }
      }
    }
    expect([...reached].sort()).toEqual([...states].sort());
  });
});
