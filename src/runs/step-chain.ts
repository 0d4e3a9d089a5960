import type { Member, NewEntry } from "../store/store.ts";

export type Writes = Partial<Pick<Member, "events" | "kv" | "timers">>;

export const NO_WRITES: Writes = {};

/** A step that its handler has gone on from. */
export interface ChainedStep {
  readonly step: number;
  readonly entry: NewEntry;
  readonly writes: Writes;
}

/** More go into another commit. */
const MOST_CHARS = 1024 * 1024;

/** Steps of one handler, each asked for with the result of the one before: one commit, if they came together and at one time. */
export class StepChain {
  readonly steps: ChainedStep[] = [];
  private chars = 0;
  /** What the first of them follows, if that may not be committed. */
  readonly after: { readonly pos: number; readonly atMs: number } | null;
  readonly nowMs: number;

  constructor(nowMs: number, after: StepChain["after"]) {
    this.nowMs = nowMs;
    this.after = after;
  }

  takes(nowMs: number): boolean {
    return nowMs === this.nowMs && this.chars < MOST_CHARS;
  }

  add(step: ChainedStep): void {
    this.steps.push(step);
    this.chars += charsOf(step);
  }

  get entries(): NewEntry[] {
    return this.steps.map(({ entry }) => entry);
  }

  /** In their order: a later write of a key is the one that stays. */
  get writes(): Writes {
    const [only] = this.steps;
    if (this.steps.length === 1 && only !== undefined) return only.writes;
    if (this.steps.every(({ writes }) => writes === NO_WRITES)) return NO_WRITES;
    return joined(this.steps.map(({ writes }) => writes));
  }
}

/** About: its large parts. */
function charsOf({ entry, writes: { events = [], kv = [], timers = [] } }: ChainedStep): number {
  let chars = entry.value?.length ?? 0;
  for (const { json } of events) chars += json.length;
  for (const { payload } of timers) chars += payload.length;
  for (const write of kv) if (write.op === "set") chars += write.value.kind === "json" ? write.value.json.length : write.value.bytes.length;
  return chars;
}

function joined(all: readonly Writes[]): Writes {
  const events = all.flatMap(({ events = [] }) => events);
  const kv = all.flatMap(({ kv = [] }) => kv);
  const timers = all.flatMap(({ timers = [] }) => timers);
  return { ...(events.length === 0 ? {} : { events }), ...(kv.length === 0 ? {} : { kv }), ...(timers.length === 0 ? {} : { timers }) };
}
