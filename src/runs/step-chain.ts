import { flatten } from "../delivery/delivery-run.ts";
import { type Cause, toWrites } from "../delivery/effects.ts";
import { errorText } from "../delivery/error-text.ts";
import type { LiveRelease } from "../delivery/live-release.ts";
import { type Effects, isNothing } from "../protocol/messages.ts";
import type { Member, NewEntry } from "../store/store.ts";

export type Writes = Partial<Pick<Member, "events" | "kv" | "timers">>;

export const NO_WRITES: Writes = {};
const NOTHING_WRITTEN = { writes: NO_WRITES, refused: null };

/** A step that its handler has gone on from. */
export interface ChainedStep {
  readonly step: number;
  readonly entry: NewEntry;
  readonly writes: Writes;
}

/** More go into another commit. */
export const MOST_CHARS = 1024 * 1024;

/** Steps of one handler, each asked for with the result of the one before: one commit, if they came together and at one time. */
export class StepChain {
  readonly steps: ChainedStep[] = [];
  readonly nowMs: number;
  /** What the first of them follows, if that may not be committed. */
  readonly after: { readonly pos: number; readonly atMs: number } | null;
  private chars = 0;

  constructor(nowMs: number, after: StepChain["after"]) {
    this.nowMs = nowMs;
    this.after = after;
  }

  /** What follows a step that emits is committed behind its events: a wait after it does not see them (S41). */
  takes(nowMs: number): boolean {
    return nowMs === this.nowMs && this.chars < MOST_CHARS && this.steps.at(-1)?.writes.events === undefined;
  }

  add(step: ChainedStep): void {
    this.steps.push(step);
    this.chars += charsOf(step);
  }

  get entries(): NewEntry[] {
    return this.steps.map(({ entry }) => entry);
  }

  get writes(): Writes {
    return joinedWrites(this.steps);
  }
}

/** In the order of the steps: a later write of a key is the one that stays. */
export function joinedWrites(steps: readonly ChainedStep[]): Writes {
  if (steps.every(({ writes }) => writes === NO_WRITES)) return NO_WRITES;
  const [only] = steps;
  if (only !== undefined && steps.length === 1) return only.writes;
  const all = steps.map(({ writes }) => writes);
  return given({
    events: all.flatMap(({ events = [] }) => events),
    kv: all.flatMap(({ kv = [] }) => kv),
    timers: all.flatMap(({ timers = [] }) => timers),
  });
}

/** Effects that may not be are a failure of the step. */
export function stepWrites(
  effects: Effects,
  cause: Cause,
  live: LiveRelease,
  hopLimit: number,
): { readonly writes: Writes; readonly refused: string | null } {
  if (isNothing(effects)) return NOTHING_WRITTEN;
  try {
    return { writes: given(toWrites(effects, cause, live, hopLimit)), refused: null };
  } catch (error) {
    return { writes: NO_WRITES, refused: errorText({ ...flatten(error), stack: null }) };
  }
}

/** Spelled out: this is made for every step, and copying parts together cost more than all else that is. */
export function stepEntry(head: Readonly<Record<string, unknown>>, pos: number, phase: NewEntry["phase"], value: string): NewEntry {
  return {
    pos,
    verb: head["verb"] as NewEntry["verb"],
    name: head["name"] as string,
    number: head["number"] as number,
    phase,
    attempt: head["attempt"] as number,
    ranMs: head["ranMs"] as number,
    value,
  };
}

/** About: its large parts. */
export function charsOf({ entry, writes: { events = [], kv = [], timers = [] } }: ChainedStep): number {
  let chars = entry.value?.length ?? 0;
  for (const { json } of events) chars += json.length;
  for (const { payload } of timers) chars += payload.length;
  for (const write of kv) if (write.op === "set") chars += write.value.kind === "json" ? write.value.json.length : write.value.bytes.length;
  return chars;
}

function given({ events, kv, timers }: ReturnType<typeof toWrites>): Writes {
  return {
    ...(events.length === 0 ? {} : { events }),
    ...(kv.length === 0 ? {} : { kv }),
    ...(timers.length === 0 ? {} : { timers }),
  };
}
