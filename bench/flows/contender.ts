export const STEPS = [1, 3, 10] as const;
export type Steps = (typeof STEPS)[number];

/** One product with a chain of so many steps, each a trivial durable function that gives `{ ok: true }`. */
export interface Contender {
  readonly name: string;
  /** What it has on disk before it says that a step is done, and by which setting. */
  readonly durability: string;
  /** Known once it has started. */
  readonly version: string;
  /** Resolves when a run would be taken. A contender that cannot run rejects with the reason: figures are not invented. */
  start(): Promise<void>;
  /** One durable run, begun and its result in hand as a client of the product would have it. Rejects unless all steps were done. */
  run(steps: Steps): Promise<void>;
  /** Its processes; what they have started counts as theirs. */
  pids(): readonly number[];
  stop(): Promise<void>;
}

/** Every contender's handler counts the results of its steps. */
export function checkResult(result: string, steps: Steps): void {
  if (result !== `{"done":${steps}}`) throw new Error(`a run of ${steps} steps came to ${result}`);
}
