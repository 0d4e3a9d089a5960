/**
 * The decision how many instances each function shall have: a pure function of what is (SPEC S1–S9). The pool asks when
 * calls wait without room, when an instance went, and at the time the last decision named.
 */

export interface ScaleView {
  readonly nowMs: number;
  /** The sum that the instances' memory limits may reach. */
  readonly budgetBytes: number;
  /** Of instances that finish an earlier release's calls. */
  readonly drainingBytes: number;
  readonly functions: readonly FunctionView[];
}

export interface FunctionView {
  readonly fn: string;
  readonly memoryBytes: number;
  readonly min: number;
  readonly max: number;
  readonly idleMs: number;
  /** Calls at once in one instance. */
  readonly perInstance: number;
  /** Calls that wait and that the function's own limit would let run. */
  readonly waiting: number;
  /** Of the calls that wait, those that want an instance of their own; not among `waiting`. */
  readonly waitingAlone: number;
  /** After failures: no start before this time. */
  readonly notBeforeMs: number;
  readonly instances: readonly InstanceView[];
}

export interface InstanceView {
  readonly id: number;
  /** `starting`: takes no calls yet; `retiring`: takes none any more, but is still there. */
  readonly state: "starting" | "serving" | "retiring";
  readonly running: number;
  readonly idleSinceMs: number;
}

export type ScaleAction =
  | { readonly kind: "start"; readonly fn: string; readonly count: number }
  | { readonly kind: "retire"; readonly fn: string; readonly instance: number };

export interface ScaleDecision {
  readonly actions: readonly ScaleAction[];
  /** When to decide again though nothing happens; null: no need. */
  readonly wakeAtMs: number | null;
}

interface Idle {
  readonly fn: string;
  readonly instance: InstanceView;
  readonly memoryBytes: number;
}

export function decideScale(view: ScaleView): ScaleDecision {
  const starts = new Map<string, number>();
  const retired = new Map<number, string>();
  let usedBytes = view.drainingBytes + sum(view.functions, (each) => each.instances.length * each.memoryBytes);
  let leavingBytes = view.drainingBytes + sum(view.functions, (each) => (each.instances.length - live(each).length) * each.memoryBytes);

  const makeRoom = (fn: FunctionView): boolean => {
    while (usedBytes + fn.memoryBytes > view.budgetBytes) {
      const victim = longestIdle(view.functions, fn.fn, retired);
      // One instance may always run, however small the budget: else the function would never.
      if (victim === null) return usedBytes === 0;
      retired.set(victim.instance.id, victim.fn);
      usedBytes -= victim.memoryBytes;
    }
    return true;
  };

  // In rounds, one each: who has least is served first, and nobody takes all.
  const wanting = view.functions.map((fn) => ({ fn, left: wantedStarts(fn, view.nowMs) })).filter(({ left }) => left > 0);
  wanting.sort((a, b) => live(a.fn).length - live(b.fn).length);
  for (let round = true; round;) {
    round = false;
    for (const want of wanting) {
      if (want.left === 0) continue;
      if (!makeRoom(want.fn)) {
        if (live(want.fn).length === 0 && !starts.has(want.fn.fn) && leavingBytes < want.fn.memoryBytes) {
          const victim = mostServed(view.functions, retired);
          if (victim !== null) {
            retired.set(victim.instance.id, victim.fn);
            leavingBytes += victim.memoryBytes;
          }
        }
        want.left = 0;
        continue;
      }
      starts.set(want.fn.fn, (starts.get(want.fn.fn) ?? 0) + 1);
      usedBytes += want.fn.memoryBytes;
      want.left--;
      round = true;
    }
  }

  const wakeAtMs = retireIdle(view, retired);
  const actions: ScaleAction[] = [];
  for (const [instance, fn] of retired) actions.push({ kind: "retire", fn, instance });
  for (const [fn, count] of starts) actions.push({ kind: "start", fn, count });
  return { actions, wakeAtMs };
}

/** S1–S4: what the waiting calls need beyond those that are starting, within min and max. */
function wantedStarts(fn: FunctionView, nowMs: number): number {
  if (nowMs < fn.notBeforeMs) return 0;
  const all = live(fn);
  const starting = all.filter(({ state }) => state === "starting").length;
  const forWaiting = Math.ceil(fn.waiting / fn.perInstance) + fn.waitingAlone - starting;
  return Math.max(0, Math.min(Math.max(forWaiting, fn.min - all.length), fn.max - all.length));
}

/** S5, S6: idle for `idleMs`, beyond `min`, and nobody waits. Returns when the next one will be. */
function retireIdle(view: ScaleView, retired: Map<number, string>): number | null {
  let wakeAtMs: number | null = null;
  for (const fn of view.functions) {
    let spareable = live(fn).filter(({ id }) => !retired.has(id)).length - fn.min;
    for (const instance of idleOf(fn)) {
      if (spareable <= 0) break;
      if (retired.has(instance.id)) continue;
      const dueMs = instance.idleSinceMs + fn.idleMs;
      if (dueMs <= view.nowMs && fn.waiting + fn.waitingAlone === 0) retired.set(instance.id, fn.fn);
      else wakeAtMs = Math.min(wakeAtMs ?? Infinity, Math.max(dueMs, view.nowMs + 1));
      spareable--;
    }
  }
  return wakeAtMs;
}

/** S7: whose memory can be had at once. */
function longestIdle(functions: readonly FunctionView[], except: string, retired: ReadonlyMap<number, string>): Idle | null {
  let longest: Idle | null = null;
  for (const fn of functions) {
    if (fn.fn === except || fn.waiting + fn.waitingAlone > 0) continue;
    const left = live(fn).filter(({ id }) => !retired.has(id));
    if (left.length <= fn.min) continue;
    const instance = idleOf(fn).find(({ id }) => !retired.has(id));
    if (instance === undefined) continue;
    if (longest === null || instance.idleSinceMs < longest.instance.idleSinceMs)
      longest = { fn: fn.fn, instance, memoryBytes: fn.memoryBytes };
  }
  return longest;
}

/** S8: for a function that has nothing while the memory is taken: one of the function with most, if that keeps another. */
function mostServed(functions: readonly FunctionView[], retired: ReadonlyMap<number, string>): Idle | null {
  let most: { fn: FunctionView; serving: readonly InstanceView[] } | null = null;
  for (const fn of functions) {
    const serving = live(fn).filter(({ id, state }) => state === "serving" && !retired.has(id));
    if (serving.length > Math.max(1, fn.min) && serving.length > (most?.serving.length ?? 0)) most = { fn, serving };
  }
  if (most === null) return null;
  const [instance] = most.serving.toSorted((a, b) => a.running - b.running);
  return instance === undefined ? null : { fn: most.fn.fn, instance, memoryBytes: most.fn.memoryBytes };
}

function live(fn: FunctionView): readonly InstanceView[] {
  return fn.instances.filter(({ state }) => state !== "retiring");
}

/** Longest idle first. */
function idleOf(fn: FunctionView): readonly InstanceView[] {
  return fn.instances.filter(({ state, running }) => state === "serving" && running === 0).sort((a, b) => a.idleSinceMs - b.idleSinceMs);
}

function sum<T>(all: readonly T[], of: (each: T) => number): number {
  return all.reduce((total, each) => total + of(each), 0);
}
