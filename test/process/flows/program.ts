import type { Random } from "../random.ts";

/** What a program does, one after the other. Each `key` is unique in its program: it names the command and its counter. */
export type Op =
  /** Counts up once; its first `fails` attempts fail. */
  | {
      readonly op: "step";
      readonly key: string;
      readonly fails: number;
      readonly undo: boolean;
      readonly emits: boolean;
      readonly shared: number | null;
    }
  /** Steps that only write, one after the other: they go ahead of their commits. The `fails`-th fails once; then one reads what they wrote. */
  | { readonly op: "chain"; readonly key: string; readonly steps: number; readonly fails: number | null }
  /** Fails in all its attempts; caught, or the run's end. */
  | { readonly op: "exhaust"; readonly key: string; readonly caught: boolean }
  | { readonly op: "sleep"; readonly key: string; readonly ms: number }
  /** The event comes when the driver has seen that it is waited for; or never, and the wait times out. */
  | { readonly op: "wait"; readonly key: string; readonly comes: boolean }
  | { readonly op: "callback"; readonly key: string; readonly how: "complete" | "twice" | "fail" | "timeout" }
  | { readonly op: "child"; readonly key: string; readonly program: Program }
  | { readonly op: "fn"; readonly key: string }
  /** Begun and not waited for; begun twice under one id. */
  | { readonly op: "start"; readonly key: string }
  | {
      readonly op: "map";
      readonly key: string;
      readonly items: number;
      readonly atOnce: number;
      readonly broken: number;
      readonly tolerate: number;
    }
  | { readonly op: "all"; readonly key: string; readonly ops: readonly Op[] }
  /** A step against a sleep of an hour: the step wins. */
  | { readonly op: "race"; readonly key: string }
  /** A sleep against a step that fails in the end: the sleep is what any of them comes to. */
  | { readonly op: "any"; readonly key: string }
  /** The same numbers before and after whatever comes between. */
  | { readonly op: "same"; readonly key: string; readonly between: Op };

export interface Program {
  readonly id: string;
  readonly ops: readonly Op[];
  /** How it ends: by itself, by an error at its end, or by the event that cancels it, for which it waits. */
  readonly end: "done" | "throws" | "cancelled" | "dropped";
  /** Begun by a client that waits and gives it no name. Should its request be lost on the way, it has run as any other, or not at all. */
  readonly nameless?: boolean;
}

const MOST_OPS = 6;
const SHARED_COUNTERS = 8;

export function randomProgram(id: string, random: Random, depth = 0): Program {
  const count = random.whole(1, depth === 0 ? MOST_OPS : 2);
  const ops = Array.from({ length: count }, (_, i) => randomOp(`${i}`, id, random, depth));
  const ends =
    depth > 0 ? (["done", "done", "throws"] as const) : (["done", "done", "done", "done", "throws", "cancelled", "dropped"] as const);
  const end = random.pick(ends);
  const nameless = depth === 0 && (end === "done" || end === "throws") && random.chance(0.5);
  return { id, ops, end, ...(nameless ? { nameless } : {}) };
}

function randomOp(key: string, id: string, random: Random, depth: number): Op {
  const kinds = [
    "step",
    "step",
    "step",
    "step",
    "chain",
    "chain",
    "exhaust",
    "sleep",
    "wait",
    "callback",
    "fn",
    "start",
    "map",
    "all",
    "race",
    "any",
    "same",
  ] as const;
  const kind = depth === 0 && random.chance(0.08) ? "child" : random.pick(kinds);
  switch (kind) {
    case "step":
      return randomStep(key, random);
    case "chain": {
      const steps = random.whole(1, 12);
      return { op: "chain", key, steps, fails: random.chance(0.2) ? random.whole(0, steps - 1) : null };
    }
    case "exhaust":
      return { op: "exhaust", key, caught: random.chance(0.8) };
    case "sleep":
      return { op: "sleep", key, ms: random.whole(0, 60) };
    case "wait":
      return { op: "wait", key, comes: random.chance(0.7) };
    case "callback":
      return { op: "callback", key, how: random.pick(["complete", "complete", "twice", "fail", "timeout"] as const) };
    case "child":
      return { op: "child", key, program: randomProgram(`${id}-${key}`, random, depth + 1) };
    case "fn":
      return { op: "fn", key };
    case "start":
      return { op: "start", key };
    case "map": {
      const items = random.whole(0, 6);
      const broken = random.whole(0, Math.min(2, items));
      return { op: "map", key, items, atOnce: random.whole(1, 4), broken, tolerate: random.chance(0.8) ? broken : Math.max(0, broken - 1) };
    }
    case "all":
      return { op: "all", key, ops: Array.from({ length: random.whole(1, 4) }, (_, i) => randomStep(`${key}.${i}`, random)) };
    case "race":
    case "any":
      return { op: kind, key };
    case "same":
      return { op: "same", key, between: randomStep(`${key}.between`, random) };
    default:
      return kind satisfies never;
  }
}

function randomStep(key: string, random: Random): Extract<Op, { op: "step" }> {
  return {
    op: "step",
    key,
    fails: random.chance(0.2) ? random.whole(1, 2) : 0,
    undo: random.chance(0.4),
    emits: random.chance(0.2),
    shared: random.chance(0.1) ? random.whole(0, SHARED_COUNTERS - 1) : null,
  };
}
