/**
 * The decision how many instances each function shall have: a pure function of what is (SPEC S1–S18). The pool asks when
 * calls wait without room, when an instance reports or went, and at the time the last decision named.
 *
 * Three things are scarce. Memory is dealt by bytes: who holds least comes first, and is given what others have too much of.
 * Processor time is what event loops are busy: a function that fills its loops gets as many as there are cores. And starts cost
 * both, so whatever could go to and fro has a time for which it stays.
 */
/** A call waits so long beside instances at work before another one is started: a start takes longer than many calls do. */
export const PATIENCE_MS = 20;
/** Before this time has passed nothing is taken from the function that it was given to. */
export const STAY_MS = 1000;
/** When there are fewer places than functions: after so long its last instance goes to one that has none. */
export const TURN_MS = 2000;
/** While calls wait for what could not be had, it is decided again. */
const AGAIN_MS = 100;

export interface ScaleView {
  readonly nowMs: number;
  /** The sum that the instances' memory limits may reach. */
  readonly budgetBytes: number;
  readonly cores: number;
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
  /** Calls at once that one more instance would take. */
  readonly perInstance: number;
  /** Calls that wait and that the function's own limit would let run. */
  readonly waiting: number;
  /** Of the calls that wait, those that want an instance of their own; not among `waiting`. */
  readonly waitingAlone: number;
  /** Since when the first of them has waited; null when none waits. */
  readonly waitingSinceMs: number | null;
  /** When its last instance went; 0 before it had any. */
  readonly lastHadMs: number;
  /** After failures: no start before this time. */
  readonly notBeforeMs: number;
  readonly instances: readonly InstanceView[];
}

export interface InstanceView {
  readonly id: number;
  /** `starting`: takes no calls yet; `retiring`: takes none any more, but is still there. */
  readonly state: "starting" | "serving" | "retiring";
  readonly running: number;
  /** How busy its event loop was of late; null: it has not been at work for long enough. */
  readonly utilisation: number | null;
  /** How busy it was at most in the last second, fading. */
  readonly peakUtilisation: number;
  readonly idleSinceMs: number;
  /** Since when it has been this function's. */
  readonly givenMs: number;
}

export type ScaleAction =
  | { readonly kind: "start"; readonly fn: string; readonly count: number }
  | { readonly kind: "retire"; readonly fn: string; readonly instance: number };

export interface ScaleDecision {
  readonly actions: readonly ScaleAction[];
  /** When to decide again though nothing happens; null: no need. */
  readonly wakeAtMs: number | null;
}

export function decideScale(view: ScaleView): ScaleDecision {
  const plan = new Plan(view);
  const needs: Need[] = [];
  for (const fn of view.functions) {
    if (!mayNeed(fn)) continue;
    const need = needOf(fn, view.nowMs);
    if (need.wakeAtMs !== null) plan.wake(need.wakeAtMs);
    if (need.left > 0) needs.push(need);
  }
  needs.sort((a, b) => plan.heldBytes(a.fn) - plan.heldBytes(b.fn) || precedence(a.fn) - precedence(b.fn));
  // In rounds, one each: who has least is served first, and nobody takes all.
  for (let served = true; served;) {
    served = false;
    for (const need of needs) if (need.left > 0 && plan.serve(need)) served = true;
  }
  plan.retireIdle();
  return plan.decision();
}

interface Need {
  readonly fn: FunctionView;
  left: number;
  /** How many of them `min` demands. */
  forMin: number;
  readonly wakeAtMs: number | null;
}

/** Of a thousand functions that have nothing and want nothing no more is asked. */
function mayNeed(fn: FunctionView): boolean {
  return hasWaiting(fn) || fn.min > 0;
}

/** S1–S4, S10: what the waiting calls need beyond those that are starting, within min and max. */
function needOf(fn: FunctionView, nowMs: number): Need {
  const all = live(fn);
  if (nowMs < fn.notBeforeMs) return { fn, left: 0, forMin: 0, wakeAtMs: null };
  const starting = count(all, ({ state }) => state === "starting");
  const patientUntilMs = starting < all.length && fn.waitingSinceMs !== null ? fn.waitingSinceMs + PATIENCE_MS : 0;
  const patient = nowMs < patientUntilMs;
  const forWaiting = patient ? 0 : Math.ceil(fn.waiting / fn.perInstance) + fn.waitingAlone - starting;
  const forMin = Math.max(0, fn.min - all.length);
  const left = Math.max(0, Math.min(Math.max(forWaiting, forMin), fn.max - all.length));
  return { fn, left, forMin, wakeAtMs: patient ? patientUntilMs : null };
}

interface Victim {
  readonly fn: FunctionView;
  readonly instance: InstanceView;
}

/** A decision while it is made. */
class Plan {
  private readonly view: ScaleView;
  private readonly starts = new Map<string, number>();
  private readonly retired = new Map<number, string>();
  /** Of everything that is there, whatever becomes of it. */
  private usedBytes: number;
  /** Of that, what finishes its calls and goes. */
  private leavingBytes: number;
  /** Of what leaves, or is free, what is kept for functions that could not be served yet. */
  private reservedBytes = 0;
  /** What event loops use of the cores, or may use for all that is known. */
  private coresTaken: number;
  private wakeAtMs: number | null = null;

  constructor(view: ScaleView) {
    this.view = view;
    this.usedBytes = view.drainingBytes + sum(view.functions, (fn) => fn.instances.length * fn.memoryBytes);
    this.leavingBytes = view.drainingBytes + sum(view.functions, (fn) => (fn.instances.length - live(fn).length) * fn.memoryBytes);
    this.coresTaken = sum(view.functions, (fn) => sum(fn.instances, coreShare));
  }

  wake(atMs: number): void {
    this.wakeAtMs = Math.min(this.wakeAtMs ?? Infinity, Math.max(atMs, this.view.nowMs + 1));
  }

  /** What the function has and will have. */
  heldBytes(fn: FunctionView): number {
    return (this.remaining(fn).length + (this.starts.get(fn.fn) ?? 0)) * fn.memoryBytes;
  }

  /** One more instance for this function, if it may be; else what can be done for that. */
  serve(need: Need): boolean {
    const { fn } = need;
    if (!this.hasCore(need) || !this.hasMemory(fn)) {
      need.left = 0;
      this.wake(this.view.nowMs + AGAIN_MS);
      return false;
    }
    this.starts.set(fn.fn, (this.starts.get(fn.fn) ?? 0) + 1);
    this.usedBytes += fn.memoryBytes;
    this.coresTaken++;
    need.left--;
    need.forMin--;
    return true;
  }

  /** S5, S6: idle for `idleMs`, beyond `min`, and nobody waits. */
  retireIdle(): void {
    for (const fn of this.view.functions) {
      if (fn.instances.length === 0) continue;
      let spareable = this.remaining(fn).length - fn.min;
      for (const instance of this.idleOf(fn)) {
        if (spareable-- <= 0) break;
        const dueMs = instance.idleSinceMs + fn.idleMs;
        if (dueMs > this.view.nowMs) this.wake(dueMs);
        else if (hasWaiting(fn)) this.wake(this.view.nowMs + AGAIN_MS);
        else this.retire({ fn, instance });
      }
    }
  }

  decision(): ScaleDecision {
    const actions: ScaleAction[] = [];
    for (const [instance, fn] of this.retired) actions.push({ kind: "retire", fn, instance });
    for (const [fn, count] of this.starts) actions.push({ kind: "start", fn, count });
    return { actions, wakeAtMs: this.wakeAtMs };
  }

  /** S11: one more would be as busy as the busiest is, and beyond the cores they would only share them. */
  private hasCore({ fn, forMin }: Need): boolean {
    if (forMin > 0 || this.heldBytes(fn) === 0) return true;
    const known = live(fn).filter(({ running, utilisation }) => running > 0 && utilisation !== null);
    const share = known.length === 0 ? 1 : Math.max(...known.map(({ peakUtilisation }) => peakUtilisation));
    return this.coresTaken + share <= this.view.cores;
  }

  /** S7, S8, S12–S15. */
  private hasMemory(fn: FunctionView): boolean {
    // One instance may always run alone, however small the budget: else the function would never.
    const bytes = Math.min(fn.memoryBytes, this.view.budgetBytes);
    if (this.usedBytes + bytes <= this.view.budgetBytes && this.missingBytes(bytes) <= 0) return true;
    const hasNothing = this.heldBytes(fn) === 0;
    const victims: Victim[] = [];
    while (this.missingBytes(bytes) > 0) {
      const victim = this.longestIdle(fn) ?? this.ofMost(fn) ?? this.longestServed(fn);
      if (victim === null) break;
      this.retire(victim);
      victims.push(victim);
    }
    // Half of what it needs would only go back. Who has nothing waits for the other half.
    if (this.missingBytes(bytes) <= 0 || hasNothing) this.reservedBytes += bytes;
    else for (const victim of victims) this.keep(victim);
    return false;
  }

  private missingBytes(bytes: number): number {
    return this.usedBytes - this.leavingBytes + this.reservedBytes + bytes - this.view.budgetBytes;
  }

  private retire({ fn, instance }: Victim): void {
    this.retired.set(instance.id, fn.fn);
    this.leavingBytes += fn.memoryBytes;
  }

  private keep({ fn, instance }: Victim): void {
    this.retired.delete(instance.id);
    this.leavingBytes -= fn.memoryBytes;
  }

  /** S7: what another one does not use; not what it may be about to use again. */
  private longestIdle(wanting: FunctionView): Victim | null {
    const idleSince = this.heldBytes(wanting) === 0 ? this.view.nowMs : this.view.nowMs - STAY_MS;
    let longest: Victim | null = null;
    for (const fn of this.view.functions) {
      if (fn === wanting || hasWaiting(fn) || this.remaining(fn).length <= fn.min) continue;
      const instance = this.idleOf(fn).find((each) => this.stayed(each, STAY_MS) && each.idleSinceMs <= idleSince);
      if (instance !== undefined && (longest === null || instance.idleSinceMs < longest.instance.idleSinceMs)) longest = { fn, instance };
    }
    return longest;
  }

  /** S8: of the function with most, if it then still has no less than this one will have. */
  private ofMost(wanting: FunctionView): Victim | null {
    let most: FunctionView | null = null;
    for (const fn of this.view.functions) {
      const left = this.remaining(fn).length - 1;
      if (fn === wanting || left < Math.max(1, fn.min)) continue;
      if (left * fn.memoryBytes < this.heldBytes(wanting) + wanting.memoryBytes && this.heldBytes(wanting) > 0) continue;
      if (most === null || this.heldBytes(fn) > this.heldBytes(most)) most = fn;
    }
    if (most === null) return null;
    const serving = this.remaining(most).filter((each) => each.state === "serving" && this.stayed(each, STAY_MS));
    const [instance] = serving.sort((a, b) => a.running - b.running);
    return instance === undefined ? null : { fn: most, instance };
  }

  /** S13: turns, where not every function can have one. */
  private longestServed(wanting: FunctionView): Victim | null {
    if (this.heldBytes(wanting) > 0) return null;
    let longest: Victim | null = null;
    for (const fn of this.view.functions) {
      if (fn === wanting || this.remaining(fn).length <= fn.min) continue;
      for (const instance of this.remaining(fn)) {
        if (instance.state !== "serving" || !this.stayed(instance, TURN_MS)) continue;
        if (longest === null || instance.givenMs < longest.instance.givenMs) longest = { fn, instance };
      }
    }
    return longest;
  }

  private stayed({ givenMs }: InstanceView, forMs: number): boolean {
    return this.view.nowMs - givenMs >= forMs;
  }

  private remaining(fn: FunctionView): InstanceView[] {
    return fn.instances.filter(({ id, state }) => state !== "retiring" && !this.retired.has(id));
  }

  /** Longest idle first. */
  private idleOf(fn: FunctionView): InstanceView[] {
    return this.remaining(fn)
      .filter(({ state, running }) => state === "serving" && running === 0)
      .sort((a, b) => a.idleSinceMs - b.idleSinceMs);
  }
}

/** One that starts, or that has not been at work for long, may be about to fill its core. */
function coreShare({ state, running, utilisation }: InstanceView): number {
  if (state === "starting") return 1;
  return running === 0 ? 0 : (utilisation ?? 1);
}

function hasWaiting(fn: FunctionView): boolean {
  return fn.waiting + fn.waitingAlone > 0;
}

/**
 * Of functions that hold the same. Not by how long calls wait where nothing is held: those of an overloaded function have always waited
 * longest, and a quiet one would never have its turn.
 */
function precedence(fn: FunctionView): number {
  if (live(fn).length > 0) return fn.waitingSinceMs ?? Infinity;
  return fn.instances.length > 0 ? Infinity : fn.lastHadMs;
}

function live(fn: FunctionView): readonly InstanceView[] {
  return fn.instances.filter(({ state }) => state !== "retiring");
}

function count<T>(all: readonly T[], is: (each: T) => boolean): number {
  let count = 0;
  for (const each of all) if (is(each)) count++;
  return count;
}

function sum<T>(all: readonly T[], of: (each: T) => number): number {
  return all.reduce((total, each) => total + of(each), 0);
}
