import { MillraceError } from "../core/index.ts";
import { fromValueText, toValueText } from "../protocol/value-text.ts";
import { shownState } from "../runs/states.ts";
import type { RunRoom } from "../runs/run-room.ts";
import type { RunView } from "../store/store.ts";

/** One run of a flow, in a test. */
export interface TestRun {
  readonly id: string;
  /** `running` while something of it can go on now; else what it was parked as, or how it ended. */
  state(): Promise<string>;
  /** What it came to, once nothing of it can go on now. Throws its error when it failed, and says so when it has not ended. */
  result<T = unknown>(): Promise<T>;
  /** Its journal so far: what was done, in order. */
  journal(): Promise<readonly TestEntry[]>;
  cancel(options?: { readonly rollback?: boolean; readonly reason?: string }): Promise<void>;
  /** A paused or stuck run goes on; with `result`, the step that it stands at is done by it. */
  resume(options?: { readonly result?: unknown }): Promise<void>;
  /** Ends its wait of this name, the present or the next one. */
  signal(wait: string, data?: unknown): Promise<void>;
}

export interface TestEntry {
  /** `step`, `sleep`, `wait`, `callback`, `answer`, `call`, `start`, `map`, `rollback`, `run`. */
  readonly verb: string;
  readonly name: string;
  readonly number: number;
  readonly phase: string;
  readonly attempt: number;
  readonly at: Date;
}

export class RunningTestRun implements TestRun {
  readonly id: string;
  private readonly runs: RunRoom;
  private readonly settled: () => Promise<void>;

  constructor(id: string, runs: RunRoom, settled: () => Promise<void>) {
    this.id = id;
    this.runs = runs;
    this.settled = settled;
  }

  async state(): Promise<string> {
    await this.settled();
    return shownState((await this.view()).state);
  }

  async result<T>(): Promise<T> {
    await this.settled();
    const { state, value, note, dueMs } = await this.view();
    if (state === "done") return (value === null ? undefined : fromValueText(value)) as T;
    if (state === "failed" || state === "cancelled") throw value === null ? new Error(`the run ${this.id} ${state}`) : fromValueText(value);
    const until = dueMs === null ? "" : `; it goes on at ${new Date(dueMs).toISOString()}`;
    throw new MillraceError("run_state", `the run ${this.id} has not ended: it is ${state}${until}${note === null ? "" : ` (${note})`}`, {
      cure: "Advance the clock, send what it waits for, or resume it.",
    });
  }

  async journal(): Promise<readonly TestEntry[]> {
    const { journal } = await this.runs.show(this.id);
    return journal.map(({ verb, name, number, phase, attempt, atMs }) => ({ verb, name, number, phase, attempt, at: new Date(atMs) }));
  }

  async cancel({ rollback = true, reason = "by a test" }: { readonly rollback?: boolean; readonly reason?: string } = {}): Promise<void> {
    await this.runs.cancel(this.id, { rollback, reason });
    await this.settled();
  }

  async resume(options: { readonly result?: unknown } = {}): Promise<void> {
    await this.runs.resume(this.id, "result" in options ? { result: textOf(options.result) } : {});
    await this.settled();
  }

  async signal(wait: string, data?: unknown): Promise<void> {
    await this.runs.signal(this.id, { wait, data: textOf(data ?? null) });
    await this.settled();
  }

  private async view(): Promise<RunView> {
    return (await this.runs.show(this.id)).run;
  }
}

export function textOf(value: unknown): string {
  const made = toValueText(value);
  if (made.ok) return made.text;
  throw new MillraceError("bad_value", `${made.path}: ${made.what}`);
}
