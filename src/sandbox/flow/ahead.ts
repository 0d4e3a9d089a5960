import type { Outside } from "../outside.ts";
import type { Command } from "./command.ts";

/** A step's end, on its way to the node. */
export interface Finished {
  readonly command: Command;
  readonly head: object;
  readonly effects: string | null;
  readonly value: string;
  readonly attempt: number;
}

const MOST_STEPS = 64;
/** Results and effects of all of them: what the node has to hold. */
const MOST_CHARS = 1024 * 1024;
/** The node hears of them together, but no later than this. */
const MOST_WAIT_MS = 4;

/** The process around a run. */
export interface Surroundings {
  readonly outside: Pick<Outside, "enter" | "leave" | "lose" | "holds" | "isReached">;
  /** Of the run's call. */
  readonly callNumber: number;
}

/** Steps whose results the handler has and whose commits it does not know of: in their order, each meaning nothing without the one before it. SPEC.md, R10. */
export class Ahead {
  private readonly around: Surroundings;
  private readonly run: { send(step: Finished, more: object): void; placeOf(command: Command): number };
  private readonly chain: { readonly command: Command; readonly chars: number }[] = [];
  private chars = 0;
  /** The run's beginning is committed. */
  private isBegun = true;
  private unsaid: { readonly step: Finished; readonly more: object }[] = [];
  private unsaidSinceMs = 0;
  /** In order: what may begin only when all of them are committed. */
  private later: (() => void)[] = [];

  constructor(around: Surroundings, run: Ahead["run"]) {
    this.around = around;
    this.run = run;
  }

  /** Something that the handler knows is not committed, as far as is known here. */
  get isAhead(): boolean {
    return this.chain.length > 0 || !this.isBegun;
  }

  get hasBegun(): boolean {
    return this.isBegun;
  }

  get steps(): number {
    return this.chain.length;
  }

  get isFull(): boolean {
    return this.chain.length >= MOST_STEPS || this.chars >= MOST_CHARS;
  }

  /** The node has not heard of all of them. */
  get hasUnsaid(): boolean {
    return this.unsaid.length > 0;
  }

  /** Nothing in this process has ever reached out of it. */
  get isUnseen(): boolean {
    return !this.around.outside.isReached;
  }

  /** Something of the run waits to reach out. */
  get reachesOut(): boolean {
    return this.around.outside.holds(this.around.callNumber);
  }

  get last(): Command | undefined {
    return this.chain.at(-1)?.command;
  }

  /** All of the run, from its first turn. */
  beforeBeginning(): void {
    this.isBegun = false;
    this.enter();
  }

  /** True: nothing is ahead any more. */
  begun(): boolean {
    if (this.isBegun) return false;
    this.isBegun = true;
    if (this.chain.length > 0) return false;
    this.leave();
    return true;
  }

  /** `seen`: the last completion that the handler had before the first of them. */
  add(step: Finished, atMs: number, seen: number): void {
    const before = this.last;
    if (!this.isAhead) this.enter();
    if (this.unsaid.length === 0) this.unsaidSinceMs = performance.now();
    const chars = step.value.length + (step.effects?.length ?? 0);
    this.chars += chars;
    this.chain.push({ command: step.command, chars });
    this.unsaid.push({ step, more: before === undefined ? { atMs, seen } : { atMs, behind: this.run.placeOf(before) } });
  }

  /** Tells the node of what it has not heard of; `ripe`: only if that is long enough ago. */
  tell(when?: "ripe"): void {
    if (this.unsaid.length === 0 || (when === "ripe" && performance.now() - this.unsaidSinceMs < MOST_WAIT_MS)) return;
    for (const { step, more } of this.unsaid.splice(0)) this.run.send(step, more);
  }

  /** False: it is none of them. */
  committed(command: Command): boolean {
    const [first] = this.chain;
    if (first?.command !== command) return false;
    this.chain.shift();
    this.chars -= first.chars;
    if (!this.isAhead) this.leave();
    return true;
  }

  /** At once, if nothing is ahead. */
  whenCommitted(go: () => void): void {
    if (!this.isAhead) go();
    else this.later.push(go);
  }

  /** What waited for their commits. */
  takeLater(): (() => void)[] {
    return this.later.splice(0);
  }

  /** The run leaves the instance. */
  end(lost: boolean): void {
    if (this.isAhead && lost) this.around.outside.lose(this.around.callNumber);
    else if (this.isAhead) this.leave();
    this.chain.length = 0;
    this.chars = 0;
    this.isBegun = true;
    this.unsaid = [];
    this.later = [];
  }

  private enter(): void {
    this.around.outside.enter(this.around.callNumber);
  }

  private leave(): void {
    this.around.outside.leave(this.around.callNumber);
  }
}
