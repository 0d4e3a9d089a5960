/** One way to answer a first call. `null` from `open` would be invented figures: a contender that cannot run throws with the reason. */
export interface Contender {
  readonly name: string;
  /** What is measured, and what is not. */
  readonly what: string;
  open(): Promise<OpenContender>;
}

export interface OpenContender {
  /** From nothing of the function running to its answer in hand: how many milliseconds that took. */
  once(): Promise<number>;
  /** What the contender itself tells of the run. */
  facts?(): Promise<object>;
  close(): Promise<void>;
}
