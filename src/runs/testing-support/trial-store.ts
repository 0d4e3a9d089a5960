import { setTimeout as delay } from "node:timers/promises";
import { MillraceError } from "../../core/errors.ts";
import type { Member, MemberResult, Store } from "../../store/store.ts";

/**
 * What goes wrong with one call of the store: it fails, is done and said to have failed, is late, is late while the next one fails at once,
 * or is refused as another owner's.
 */
export type Fault = "before" | "after" | "slow" | "overtaken" | "fenced";

/** A run whose `at`-th call of the store goes wrong: told by its id, `trial-<at>-<fault>`. */
export function trialId(at: number, fault: Fault): string {
  return `trial-${at}-${fault}`;
}

const SLOW_MS = 50;
/** What is overtaken is done at the worst moment: right after the run has been read again. If nobody reads it, then after this time. */
const OVERTAKEN_MS = 300;

/** A real store in which one call of each trial's run goes wrong. */
export class TrialStore {
  /** How many calls each trial's run has made; and which faults were put in. */
  readonly calls = new Map<string, number>();
  readonly faults = new Set<string>();
  /** How often each run was read to be driven. */
  readonly reads = new Map<number, number>();
  /** What was handed in with the beginning of a run, by the request's path. */
  readonly begun = new Map<string, Member[]>();
  readonly store: Store;
  private readonly ids = new Map<number, string>();
  /** What a late commit of a run holds up: a store takes those of one owner in their order. */
  private readonly late = new Map<number, Promise<unknown>>();
  /** Lets an overtaken commit of a run go on. */
  private readonly overtaken = new Map<number, () => void>();

  constructor(store: Store) {
    this.store = new Proxy(store, {
      get: (target, name) => {
        if (name === "commit") return (member: Member) => this.commit(target, member);
        if (name === "ownedRun") return (...ask: Parameters<Store["ownedRun"]>) => this.ownedRun(target, ask);
        if (name === "journal") return (...ask: Parameters<Store["journal"]>) => this.through(ask[0], () => target.journal(...ask));
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  private async commit(store: Store, member: Member): Promise<MemberResult> {
    const [event] = member.events ?? [];
    const begins = event?.deliveries[0]?.run;
    const path = begins === undefined ? undefined : pathOf(event?.json ?? "");
    if (path !== undefined) {
      const before = this.begun.get(path) ?? [];
      this.begun.set(path, [...before, member]);
      const fault = /^\/tried\/(\w+)/.exec(path)?.[1] as Fault | undefined;
      if (before.length === 0 && fault !== undefined) return await goingWrong(fault, () => store.commit(member));
    }
    if (member.run === undefined || this.ids.get(member.run.run) === undefined) {
      const result = await store.commit(member);
      const seq = result.kind === "committed" ? result.events[0]?.deliveries[0]?.seq : undefined;
      if (begins !== undefined && begins.id.startsWith("trial-") && seq !== undefined) this.ids.set(seq, begins.id);
      return result;
    }
    const { run } = member.run;
    const fault = this.next(run);
    if (fault === "fenced") return { kind: "fenced" };
    const late = this.late.get(run);
    if (fault === "before" || (!isLate(fault) && late === undefined)) return await goingWrong(fault, () => store.commit(member));
    const before = fault === "overtaken" ? this.untilOvertaken(run) : late;
    const going = Promise.resolve(before).then(() => goingWrong(fault, () => store.commit(member)));
    const settled = Promise.allSettled([going]);
    this.late.set(run, settled);
    await settled;
    if (this.late.get(run) === settled) this.late.delete(run);
    return await going;
  }

  private async untilOvertaken(run: number): Promise<void> {
    await Promise.race([
      delay(OVERTAKEN_MS, null, { ref: false }),
      new Promise<void>((resolve) => {
        this.overtaken.set(run, resolve);
      }),
    ]);
    this.overtaken.delete(run);
  }

  private async ownedRun(store: Store, ask: Parameters<Store["ownedRun"]>): ReturnType<Store["ownedRun"]> {
    this.reads.set(ask[0], (this.reads.get(ask[0]) ?? 0) + 1);
    const run = await this.through(ask[0], () => store.ownedRun(...ask));
    this.overtaken.get(ask[0])?.();
    return run;
  }

  private async through<T>(run: number, ask: () => Promise<T>): Promise<T> {
    const fault = this.next(run);
    return await goingWrong(fault === "fenced" ? null : fault, ask);
  }

  private next(run: number): Fault | null {
    const id = this.ids.get(run);
    if (id === undefined) return null;
    const count = (this.calls.get(id) ?? 0) + 1;
    this.calls.set(id, count);
    const [, at, fault] = id.split("-") as [string, string, Fault];
    if (fault === "overtaken" && Number(at) + 1 === count) return "before";
    if (Number(at) !== count) return null;
    this.faults.add(id);
    return fault;
  }
}

/** Of the request that begins a run. */
function pathOf(json: string): string | undefined {
  const { data } = JSON.parse(json) as { readonly data?: { readonly url?: string } | null };
  return data?.url === undefined ? undefined : new URL(data.url).pathname;
}

function isLate(fault: Fault | null): boolean {
  return fault === "slow" || fault === "overtaken";
}

async function goingWrong<T>(fault: Fault | null, ask: () => Promise<T>): Promise<T> {
  if (fault === "before") throw new MillraceError("data_unwritable", "the database does not answer");
  if (fault === "slow") await delay(SLOW_MS);
  const result = await ask();
  if (fault === "after") throw new MillraceError("data_unwritable", "the database did not answer in time");
  return result;
}
