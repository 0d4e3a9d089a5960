/** One thing to do with each event; `step` gets the event's number. */
export interface Workload {
  readonly name: string;
  /** Its sum is kept, so that no compiler can leave the work out. */
  readonly step: (event: number) => number;
}

export interface Rounds {
  readonly rounds: number;
  /** For each workload in each round. */
  readonly seconds: number;
}

/** Events a second of each workload, one figure a round. */
export type Rates = ReadonlyMap<string, readonly number[]>;

/**
 * Workloads take turns, so that what else the machine does hits all of them; one more round at the start warms up and is not counted.
 * Each goes on with the events where it stopped.
 */
export function inTurns(workloads: readonly Workload[], events: number, { rounds, seconds }: Rounds): Rates {
  const turns = workloads.map(({ name, step }) => ({ name, turn: new Turn(step, events), rates: [] as number[] }));
  for (let round = 0; round <= rounds; round++) {
    for (const { turn, rates } of turns) {
      const rate = turn.take(seconds * 1000);
      if (round > 0) rates.push(rate);
    }
  }
  return new Map(turns.map(({ name, rates }) => [name, rates]));
}

export function ratesOf(rates: Rates, name: string): readonly number[] {
  const found = rates.get(name);
  if (found === undefined) throw new Error(`nothing named "${name}" was measured`);
  return found;
}

/** Round by round: the machine's moods cancel out. */
export function ratios(rates: readonly number[], units: readonly number[]): number[] {
  return rates.map((rate, round) => rate / (units[round] ?? Number.NaN));
}

/** What `step` answered, summed: looked at by nobody, but held. */
let held = 0;

export class Turn {
  private readonly step: (event: number) => number;
  private readonly events: number;
  private next = 0;

  constructor(step: (event: number) => number, events: number) {
    this.step = step;
    this.events = events;
  }

  /** Events a second. At least one event; the clock is asked about once a millisecond, however slow or fast a step is. */
  take(ms: number): number {
    const startMs = performance.now();
    let done = 0;
    let nowMs = startMs;
    for (let block = 1; nowMs < startMs + ms;) {
      this.run(block);
      done += block;
      const tookMs = performance.now() - nowMs;
      nowMs += tookMs;
      if (tookMs < 0.5) block *= 2;
    }
    return (done * 1000) / (nowMs - startMs);
  }

  private run(block: number): void {
    let sum = 0;
    for (let i = 0; i < block; i++) {
      sum += this.step(this.next);
      this.next = this.next + 1 === this.events ? 0 : this.next + 1;
    }
    held += sum;
    if (Number.isNaN(held)) throw new Error("a workload returned no number");
  }
}
