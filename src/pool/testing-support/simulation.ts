import { FIRST_LIMIT, nextLimit } from "../call-limit.ts";
import { chooseInstance } from "../choose.ts";
import { decideScale, type FunctionView, PATIENCE_MS, type ScaleView } from "../scale.ts";

/**
 * For tests: a machine, its functions and their calls in virtual time, driven by the real decisions (how many instances, which
 * one, how many calls at once). What is simulated is what those decisions see: a loop that runs one call at a time, cores that
 * busy loops share, waits outside of them, starts and ends that take time. Every step checks what must hold at every moment.
 */

const STEP_MS = 5;
/** What a process takes from its start until it serves, and from its last call until it is gone. */
const START_MS = 40;
const LEAVE_MS = 5;
const REPORT_MS = 100;
const SILENT_MS = 300;
/** What an instance has no calls for before its loop counts as unknown. */
const PAUSE_MS = 20;
const PEAK_FADING = 0.9;
/** A call that waits longer is refused (Q2). */
const WAIT_MS = 10_000;
/** So long a call may wait beside memory and cores that nobody uses: what a loop once did fades in a second (S11), then a start. */
const IDLE_CAPACITY_MS = 1500;

export interface Profile {
  readonly name: string;
  /** Of one call: in the loop, then outside of it. */
  readonly cpuMs: number;
  readonly ioMs: number;
  /** Calls by the second at this time. */
  readonly load: (nowMs: number) => number;
  readonly concurrency?: number;
  readonly memoryBytes?: number;
  readonly min?: number;
  readonly max?: number;
  readonly idleMs?: number;
}

export interface Machine {
  readonly cores: number;
  readonly budgetBytes: number;
  readonly seed: number;
}

interface Call {
  readonly cameMs: number;
  cpuLeftMs: number;
}

interface Instance {
  readonly id: number;
  readonly readyMs: number;
  readonly givenMs: number;
  accepts: boolean;
  retiring: boolean;
  /** Set when it is retiring and empty. */
  goneMs: number;
  running: number;
  callLimit: number;
  utilisation: number | null;
  peakUtilisation: number;
  idleSinceMs: number;
  reportBeganMs: number;
  busyMs: number;
  ended: number;
  mostRunning: number;
  /** In this step its loop was busy, if only for a part of it. */
  worked: boolean;
  /** In the loop, first come first served. */
  readonly loop: Call[];
  /** Outside of it, by the time at which they are done. */
  readonly away: { readonly call: Call; readonly doneMs: number }[];
}

/** What became of one function. */
export interface Tally {
  arrived: number;
  done: number;
  refused: number;
  starts: number;
  mostInstances: number;
  longestWaitMs: number;
  readonly waitsMs: number[];
}

class Func {
  readonly profile: Profile;
  readonly instances: Instance[] = [];
  readonly waiting: Call[] = [];
  readonly tally: Tally = { arrived: 0, done: 0, refused: 0, starts: 0, mostInstances: 0, longestWaitMs: 0, waitsMs: [] };
  callLimit: number;
  owed = 0;
  lastHadMs = 0;
  /** Since when calls of it wait though what they lack is there. */
  neglectedSinceMs: number | null = null;

  constructor(profile: Profile) {
    this.profile = profile;
    this.callLimit = Math.min(FIRST_LIMIT, this.concurrency);
  }

  get concurrency(): number {
    return this.profile.concurrency ?? 100;
  }

  get memoryBytes(): number {
    return this.profile.memoryBytes ?? 100;
  }

  get max(): number {
    return this.profile.max ?? 4;
  }

  get live(): readonly Instance[] {
    return this.instances.filter(({ retiring }) => !retiring);
  }
}

export class Simulation {
  nowMs = 0;
  private readonly machine: Machine;
  private readonly functions: readonly Func[];
  private readonly random: () => number;
  private lastId = 0;
  private wakeAtMs = Infinity;
  private askAgainMs = 0;

  constructor(machine: Machine, profiles: readonly Profile[]) {
    this.machine = machine;
    this.functions = profiles.map((profile) => new Func(profile));
    this.random = randomFrom(machine.seed);
  }

  run(untilMs: number): this {
    for (; this.nowMs < untilMs; this.nowMs += STEP_MS) this.step();
    return this;
  }

  tally(name: string): Tally {
    return this.func(name).tally;
  }

  /** Instances that are there, whatever they do. */
  instances(name: string): number {
    return this.func(name).instances.length;
  }

  private func(name: string): Func {
    const func = this.functions.find(({ profile }) => profile.name === name);
    if (func === undefined) throw new Error(`there is no function ${name}`);
    return func;
  }

  private step(): void {
    let ask = this.nowMs >= this.wakeAtMs;
    this.work();
    for (const func of this.functions) {
      if (this.end(func)) ask = true;
      if (this.report(func)) this.askAgainMs = 0;
      this.arrive(func);
      this.dispatch(func);
      if (func.waiting.length > 0 && this.nowMs >= this.askAgainMs) ask = true;
    }
    if (ask || this.nowMs === 0) this.decide();
    this.check();
  }

  /** Busy loops share the cores evenly. */
  private work(): void {
    const busy = this.functions.flatMap(({ instances }) => instances).filter(({ loop }) => loop.length > 0);
    const share = Math.min(1, this.machine.cores / busy.length);
    for (const func of this.functions) {
      for (const instance of func.instances) {
        let leftMs = STEP_MS * share;
        instance.worked = instance.loop.length > 0;
        while (leftMs > 0) {
          const [call] = instance.loop;
          if (call === undefined) break;
          const usedMs = Math.min(leftMs, call.cpuLeftMs);
          leftMs -= usedMs;
          instance.busyMs += usedMs / share;
          call.cpuLeftMs -= usedMs;
          if (call.cpuLeftMs > 0) break;
          instance.loop.shift();
          instance.away.push({ call, doneMs: this.nowMs + func.profile.ioMs });
        }
      }
    }
  }

  /** True when an instance has gone. */
  private end(func: Func): boolean {
    const gone: Instance[] = [];
    for (const instance of func.instances) {
      instance.accepts = !instance.retiring && this.nowMs >= instance.readyMs;
      for (let i = instance.away.length - 1; i >= 0; i--) {
        if ((instance.away[i]?.doneMs ?? Infinity) > this.nowMs) continue;
        instance.away.splice(i, 1);
        instance.running--;
        instance.ended++;
        func.tally.done++;
        if (instance.running === 0) {
          instance.idleSinceMs = this.nowMs;
          this.wakeAtMs = Math.min(this.wakeAtMs, this.nowMs + this.idleMs(func));
        }
      }
      if (instance.retiring && instance.running === 0 && instance.goneMs === Infinity) instance.goneMs = this.nowMs + LEAVE_MS;
      if (this.nowMs >= instance.goneMs) gone.push(instance);
    }
    for (const instance of gone) {
      func.instances.splice(func.instances.indexOf(instance), 1);
      func.lastHadMs = this.nowMs;
    }
    return gone.length > 0;
  }

  private report(func: Func): boolean {
    let heard = false;
    for (const instance of func.instances) {
      const tookMs = this.nowMs - instance.reportBeganMs;
      // A loop in the middle of a call tells nothing.
      const [call] = instance.loop;
      const blocked = call !== undefined && call.cpuLeftMs < func.profile.cpuMs && call.cpuLeftMs > STEP_MS;
      if (instance.retiring || (this.nowMs - instance.idleSinceMs > PAUSE_MS && instance.running === 0)) continue;
      if (tookMs < REPORT_MS || blocked) continue;
      const utilisation = Math.min(1, instance.busyMs / tookMs);
      const endedPerSecond = (instance.ended * 1000) / tookMs;
      const usedUp = instance.mostRunning >= instance.callLimit;
      instance.callLimit = nextLimit(instance.callLimit, func.concurrency, { utilisation, endedPerSecond, usedUp, memoryShare: 0 });
      func.callLimit = instance.callLimit;
      instance.utilisation = utilisation;
      instance.peakUtilisation = Math.max(utilisation, instance.peakUtilisation * PEAK_FADING);
      this.beginReport(instance);
      heard = true;
    }
    return heard;
  }

  private beginReport(instance: Instance): void {
    instance.reportBeganMs = this.nowMs;
    instance.busyMs = 0;
    instance.ended = 0;
    instance.mostRunning = instance.running;
  }

  private arrive(func: Func): void {
    func.owed += (func.profile.load(this.nowMs) * STEP_MS) / 1000;
    // Evenly in the long run, not from step to step.
    while (func.owed > this.random()) {
      func.owed--;
      func.tally.arrived++;
      func.waiting.push({ cameMs: this.nowMs, cpuLeftMs: func.profile.cpuMs });
    }
    while ((func.waiting[0]?.cameMs ?? Infinity) < this.nowMs - WAIT_MS) {
      func.waiting.shift();
      func.tally.refused++;
    }
  }

  private dispatch(func: Func): void {
    for (;;) {
      const [call] = func.waiting;
      const instance = call === undefined ? null : chooseInstance(func.instances);
      if (call === undefined || instance === null) return;
      func.waiting.shift();
      const waitedMs = this.nowMs - call.cameMs;
      func.tally.waitsMs.push(waitedMs);
      func.tally.longestWaitMs = Math.max(func.tally.longestWaitMs, waitedMs);
      if (instance.running === 0 && this.nowMs - instance.idleSinceMs > PAUSE_MS) {
        instance.utilisation = null;
        instance.peakUtilisation = 0;
        this.beginReport(instance);
      }
      instance.mostRunning = Math.max(instance.mostRunning, ++instance.running);
      instance.loop.push(call);
    }
  }

  private decide(): void {
    const { actions, wakeAtMs } = decideScale(this.view());
    this.wakeAtMs = wakeAtMs ?? Infinity;
    for (const action of actions) {
      const func = this.func(action.fn);
      if (action.kind === "retire") this.retire(func, action.instance);
      else for (let i = 0; i < action.count; i++) this.start(func);
    }
    this.askAgainMs = this.nowMs + PATIENCE_MS;
  }

  private view(): ScaleView {
    const { cores, budgetBytes } = this.machine;
    return { nowMs: this.nowMs, budgetBytes, cores, drainingBytes: 0, functions: this.functions.map((func) => this.viewOf(func)) };
  }

  private viewOf(func: Func): FunctionView {
    return {
      fn: func.profile.name,
      memoryBytes: func.memoryBytes,
      min: func.profile.min ?? 0,
      max: func.max,
      idleMs: this.idleMs(func),
      perInstance: func.callLimit,
      waiting: func.waiting.length,
      waitingAlone: 0,
      waitingSinceMs: func.waiting[0]?.cameMs ?? null,
      lastHadMs: func.lastHadMs,
      notBeforeMs: 0,
      instances: func.instances.map((each) => ({
        id: each.id,
        state: each.retiring ? "retiring" : this.nowMs < each.readyMs ? "starting" : "serving",
        running: each.running,
        utilisation: this.isSilent(each) ? 1 : each.utilisation,
        peakUtilisation: this.isSilent(each) ? 1 : each.peakUtilisation,
        idleSinceMs: each.idleSinceMs,
        givenMs: each.givenMs,
      })),
    };
  }

  private isSilent({ running, reportBeganMs }: Instance): boolean {
    return running > 0 && this.nowMs - reportBeganMs > SILENT_MS;
  }

  private idleMs({ profile }: Func): number {
    return profile.idleMs ?? 60_000;
  }

  private start(func: Func): void {
    // Calls that only compute and have waited for a second: its loops are full, and have been.
    const computes = func.profile.ioMs === 0 && func.profile.cpuMs >= STEP_MS && this.waitedMs(func) > 1000;
    if (computes && func.live.length >= Math.max(this.machine.cores, func.profile.min ?? 0))
      this.fail(`${func.profile.name} fills the cores, and is given one more`);
    func.tally.starts++;
    func.instances.push({
      id: ++this.lastId,
      readyMs: this.nowMs + START_MS,
      givenMs: this.nowMs,
      accepts: false,
      retiring: false,
      goneMs: Infinity,
      running: 0,
      callLimit: func.callLimit,
      utilisation: null,
      peakUtilisation: 0,
      idleSinceMs: this.nowMs + START_MS,
      reportBeganMs: this.nowMs + START_MS,
      busyMs: 0,
      ended: 0,
      mostRunning: 0,
      worked: false,
      loop: [],
      away: [],
    });
    this.wakeAtMs = Math.min(this.wakeAtMs, this.nowMs + START_MS + this.idleMs(func));
    func.tally.mostInstances = Math.max(func.tally.mostInstances, func.live.length);
  }

  private retire(func: Func, id: number): void {
    const instance = func.instances.find((each) => each.id === id);
    if (instance === undefined || instance.retiring)
      throw new Error(`at ${this.nowMs} ms: ${func.profile.name} has no instance ${id} to retire`);
    instance.retiring = true;
    instance.accepts = false;
  }

  // what must hold at every moment

  private check(): void {
    const usedBytes = this.usedBytes();
    const there = this.functions.reduce((sum, { instances }) => sum + instances.length, 0);
    if (usedBytes > this.machine.budgetBytes && there > 1) this.fail(`the budget is passed: ${usedBytes} bytes`);
    for (const func of this.functions) {
      if (func.live.length > Math.max(func.max, func.profile.min ?? 0)) this.fail(`${func.profile.name} has more than max`);
      this.checkNeglect(func, usedBytes);
    }
  }

  private checkNeglect(func: Func, usedBytes: number): void {
    const live = func.live;
    const busy = this.functions.flatMap(({ instances }) => instances).filter(({ worked }) => worked).length;
    const helpless =
      this.waitedMs(func) <= PATIENCE_MS ||
      live.length >= func.max ||
      live.some(({ readyMs }) => this.nowMs < readyMs) ||
      usedBytes + func.memoryBytes > this.machine.budgetBytes ||
      (live.length > 0 && busy >= this.machine.cores) ||
      // What is free may be kept for one that has nothing at all.
      this.functions.some((other) => other !== func && other.waiting.length > 0 && other.live.length === 0);
    if (helpless) func.neglectedSinceMs = null;
    else func.neglectedSinceMs ??= this.nowMs;
    if (func.neglectedSinceMs !== null && this.nowMs - func.neglectedSinceMs > IDLE_CAPACITY_MS)
      this.fail(`calls of ${func.profile.name} wait, and nothing is done about it`);
  }

  private waitedMs({ waiting }: Func): number {
    const [first] = waiting;
    return first === undefined ? 0 : this.nowMs - first.cameMs;
  }

  private usedBytes(): number {
    return this.functions.reduce((sum, func) => sum + func.instances.length * func.memoryBytes, 0);
  }

  private fail(what: string): never {
    const state = this.functions.map(
      (func) => `${func.profile.name}: ${func.instances.length} instances, ${func.waiting.length} calls wait`,
    );
    throw new Error(`at ${this.nowMs} ms (seed ${this.machine.seed}): ${what}. ${state.join("; ")}`);
  }
}

function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
