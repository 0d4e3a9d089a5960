import { median, round } from "../report.ts";

/** What is compared of one contender with chains of one length. */
export interface Figures {
  /** One run at a time, from the request to the result. */
  readonly aloneRuns: number;
  readonly aloneP50Ms: number;
  readonly aloneP99Ms: number;
  /** With 64 in flight. */
  readonly runsPerSecond: number;
  readonly stepsPerSecond: number;
  /** Of all processes of the contender. */
  readonly cpuUsPerStep: number;
  /** Of the process that makes the load. */
  readonly clientUsPerRun: number;
}

const COMPARED = ["aloneP50Ms", "aloneP99Ms", "stepsPerSecond", "cpuUsPerStep"] as const;

/** Of all rounds, figure by figure. */
export function medians(rounds: readonly Figures[]): Partial<Figures> {
  const names = Object.keys(rounds[0] ?? {}) as (keyof Figures)[];
  return Object.fromEntries(names.map((name) => [name, median(rounds.map((figures) => figures[name]))]));
}

/** The median of the rounds' ratios: what befalls the machine in one round befalls both. */
export function ratios(ours: readonly Figures[], theirs: readonly Figures[]): Partial<Figures> {
  const ratioOf = (name: keyof Figures): number => median(ours.map((figures, i) => figures[name] / (theirs[i]?.[name] ?? Number.NaN)));
  return Object.fromEntries(COMPARED.map((name) => [name, round(ratioOf(name), 3)]));
}
