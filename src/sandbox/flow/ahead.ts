import type { Command } from "./command.ts";

/** A step's end, on its way to the node. */
export interface Finished {
  readonly command: Command;
  readonly head: object;
  readonly effects: string | null;
  readonly value: string;
  readonly attempt: number;
}

/** What the process can still take back: nothing of it has been seen from outside. */
export interface Apart {
  /** Nothing in this process has ever reached out of it. */
  readonly isApart: boolean;
  /** From here on what reaches out waits. */
  enter(): void;
  /** `lost`: what it has begun since is not to be. */
  leave(lost: boolean): void;
  /** Something of this run waits to reach out. */
  readonly reaches: boolean;
}

const MOST_STEPS = 64;
/** The node hears of them together, but no later than this. */
const MOST_WAIT_MS = 4;

/** Steps whose results the handler has and whose commits it does not know of: in their order, each meaning nothing without the one before it. SPEC.md, R10. */
export class Ahead {
  private readonly apart: Apart;
  private readonly say: (step: Finished, more: object) => void;
  private readonly placeOf: (command: Command) => number;
  private readonly chain: Command[] = [];
  /** The run's beginning is committed. */
  private isBegun = true;
  private unsaid: { readonly step: Finished; readonly more: object }[] = [];
  private unsaidSinceMs = 0;
  /** In order: what may begin only when all of them are committed. */
  private later: (() => void)[] = [];

  constructor(apart: Apart, placeOf: (command: Command) => number, say: (step: Finished, more: object) => void) {
    this.apart = apart;
    this.placeOf = placeOf;
    this.say = say;
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
    return this.chain.length >= MOST_STEPS;
  }

  /** The node has not heard of all of them. */
  get hasUnsaid(): boolean {
    return this.unsaid.length > 0;
  }

  get last(): Command | undefined {
    return this.chain.at(-1);
  }

  /** All of the run, from its first turn. */
  beforeBeginning(): void {
    this.isBegun = false;
    this.apart.enter();
  }

  /** True: nothing is ahead any more. */
  begun(): boolean {
    if (this.isBegun) return false;
    this.isBegun = true;
    if (this.chain.length > 0) return false;
    this.apart.leave(false);
    return true;
  }

  /** `seen`: the last completion that the handler had before the first of them. */
  add(step: Finished, atMs: number, seen: number): void {
    const before = this.last;
    if (!this.isAhead) this.apart.enter();
    if (this.unsaid.length === 0) this.unsaidSinceMs = performance.now();
    this.chain.push(step.command);
    this.unsaid.push({ step, more: before === undefined ? { atMs, seen } : { atMs, behind: this.placeOf(before) } });
  }

  /** Tells the node of what it has not heard of; `ripe`: only if that is long enough ago. */
  tell(when?: "ripe"): void {
    if (this.unsaid.length === 0 || (when === "ripe" && performance.now() - this.unsaidSinceMs < MOST_WAIT_MS)) return;
    for (const { step, more } of this.unsaid.splice(0)) this.say(step, more);
  }

  /** False: it is none of them. */
  committed(command: Command): boolean {
    if (this.chain[0] !== command) return false;
    this.chain.shift();
    if (!this.isAhead) this.apart.leave(false);
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
    if (this.isAhead) this.apart.leave(lost);
    this.chain.length = 0;
    this.isBegun = true;
    this.unsaid = [];
    this.later = [];
  }
}
