import { didYouMean, toError } from "../src/core/index.ts";
import { type Contender, STEPS, type Steps } from "./flows/contender.ts";
import { type Figures, medians, ratios } from "./flows/figures.ts";
import { Millrace } from "./flows/millrace.ts";
import { OpenWorkflow } from "./flows/openworkflow.ts";
import { Restate } from "./flows/restate.ts";
import { roundOf, warmUp } from "./flows/rounds.ts";
import { syncCost } from "./flows/sync-cost.ts";
import { type BenchOptions, print } from "./report.ts";

const WARM_UP_S = 2;
const OURS = "millrace";
const CONTENDERS: Readonly<Record<string, () => readonly Contender[]>> = {
  [OURS]: () => [new Millrace("unseen")],
  seen: () => [new Millrace("seen")],
  restate: () => [new Restate()],
  openworkflow: () => [new OpenWorkflow("result"), new OpenWorkflow("told")],
};

interface Result {
  readonly of: string;
  readonly steps: Steps;
  readonly figures: Figures;
}

/**
 * Durable chains of 1, 3 and 10 steps, ours and others', on one machine with every step synced, in turns: one run at a time, then 64 in
 * flight, over the same HTTP client. Beside rates stands the processor time of a step, which other tenants of the machine move less. Our
 * steps reach nobody outside, so that they go ahead of their commits; "millrace, seen" is the same where a process has reached out and each
 * step waits for the one before. Not measured: steps that do something, waits and timers, recovery, clusters, files that have grown for months.
 */
export async function flows(options: BenchOptions): Promise<void> {
  const seconds = options.seconds ?? 5;
  const contenders = await startAll(chosen(options.only ?? Object.keys(CONTENDERS)));
  try {
    for (const contender of contenders) {
      for (const steps of STEPS) await warmUp(contender, steps, Math.min(WARM_UP_S, seconds));
    }
    const results: Result[] = [];
    for (let run = 0; run < (options.runs ?? 3); run++) {
      print({ measure: "4 KiB appended and synced", run, ...syncCost() });
      for (const contender of contenders) {
        for (const steps of STEPS) {
          const figures = await roundOf(contender, steps, seconds);
          results.push({ of: contender.name, steps, figures });
          print({ measure: "chains", run, of: contender.name, steps, ...figures });
        }
      }
    }
    report(
      contenders.map(({ name }) => name),
      results,
    );
  } finally {
    for (const contender of contenders) await contender.stop();
  }
}

function chosen(names: readonly string[]): Contender[] {
  return names.flatMap((name) => {
    const make = CONTENDERS[name];
    if (make === undefined) {
      const known = Object.keys(CONTENDERS);
      throw new Error(`--only ${name}: there are ${known.join(", ")}${didYouMean(name, known)}`);
    }
    return make();
  });
}

/** All at once, so that they can take turns; those that cannot run are named with the reason. */
async function startAll(contenders: readonly Contender[]): Promise<Contender[]> {
  const started: Contender[] = [];
  for (const contender of contenders) {
    try {
      await contender.start();
      started.push(contender);
      print({ contender: contender.name, version: contender.version, durability: contender.durability });
    } catch (error) {
      await contender.stop();
      print({ contender: contender.name, absent: toError(error).message });
    }
  }
  return started;
}

function report(names: readonly string[], results: readonly Result[]): void {
  const roundsOf = (of: string, steps: Steps): Figures[] =>
    results.filter((result) => result.of === of && result.steps === steps).map(({ figures }) => figures);
  for (const of of names) {
    for (const steps of STEPS) print({ measure: "chains, medians", of, steps, ...medians(roundsOf(of, steps)) });
  }
  const isOurs = (name: string): boolean => name.startsWith(OURS);
  for (const ours of names.filter(isOurs)) {
    for (const rival of names.filter((name) => !isOurs(name)))
      for (const steps of STEPS) print({ measure: `${ours} / ${rival}`, steps, ...ratios(roundsOf(ours, steps), roundsOf(rival, steps)) });
  }
}
