import { median } from "../report.ts";

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

/**
 * Events by the clock, and by the processor's time of all threads of the process, the collector's too: the second hardly depends on
 * what else the machine does, the first is what a user sees.
 */
export interface Rate {
  readonly perSecond: number;
  readonly perCpuSecond: number;
}

/** The rates of each workload, one a round. */
export type Rates = ReadonlyMap<string, readonly Rate[]>;

/**
 * Workloads take turns, so that what else the machine does hits all of them; one more round at the start warms up and is not counted.
 * Each goes on with the events where it stopped.
 */
export function inTurns(workloads: readonly Workload[], events: number, { rounds, seconds }: Rounds): Rates {
  const turns = workloads.map(({ name, step }) => ({ name, turn: new Turn(step, events), rates: [] as Rate[] }));
  for (let round = 0; round <= rounds; round++) {
    for (const { turn, rates } of turns) {
      const rate = turn.take(seconds * 1000);
      if (round > 0) rates.push(rate);
    }
  }
  return new Map(turns.map(({ name, rates }) => [name, rates]));
}

export function ratesOf(rates: Rates, name: string): readonly Rate[] {
  const found = rates.get(name);
  if (found === undefined) throw new Error(`nothing named "${name}" was measured`);
  return found;
}

export function medianRate(rates: readonly Rate[], by: keyof Rate = "perSecond"): number {
  return median(rates.map((rate) => rate[by]));
}

/** Round by round: the machine's moods cancel out. */
export function ratios(rates: readonly Rate[], units: readonly Rate[], by: keyof Rate = "perSecond"): number[] {
  return rates.map((rate, round) => rate[by] / (units[round]?.[by] ?? Number.NaN));
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

  /** At least one event; the clock is asked about once a millisecond, however slow or fast a step is. */
  take(ms: number): Rate {
    const cpu = process.cpuUsage();
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
    const { user, system } = process.cpuUsage(cpu);
    return { perSecond: (done * 1000) / (nowMs - startMs), perCpuSecond: (done * 1e6) / (user + system) };
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
