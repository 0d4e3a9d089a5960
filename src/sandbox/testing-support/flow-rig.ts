import type { Entry } from "../../protocol/journal.ts";
import type { RunHead } from "../../protocol/messages.ts";
import { fromValueText } from "../../protocol/value-text.ts";
import type { Flow } from "../../sdk/flow.ts";
import { FlowRun } from "../flow/flow-run.ts";
import { FlowVerbs } from "../flow/flow-verbs.ts";
import { StepHabits } from "../flow/step-habits.ts";
import { Targets } from "../flow/targets.ts";
import { Outside } from "../outside.ts";

export type Head = Readonly<Record<string, unknown>>;

/** A loaded machine is no fault. */
export const PATIENTLY = { timeout: 20_000 };

const POLICY = { attempts: 2, backoff: "fixed", baseMs: 5, factor: 1, maxMs: 5, jitter: "none", onExhausted: "throw" } as const;
export const HEAD: RunHead = {
  id: "run-1",
  seed: "seed",
  startedMs: 1000,
  nowMs: 2000,
  http: false,
  policy: POLICY,
  timeoutMs: 1000,
  checkSchema: false,
  check: false,
  begun: true,
  ahead: "end",
};

export interface RigOptions {
  readonly journal?: readonly Entry[];
  readonly head?: Partial<RunHead>;
  readonly habits?: StepHabits;
  readonly hasRead?: boolean;
  readonly keeps?: boolean;
  /** Something in its process has. */
  readonly reached?: boolean;
}

/** A run over a scripted node: what the run says, and the node's answers. */
export class Rig {
  readonly run: FlowRun;
  readonly outside = new Outside();
  readonly said: string[] = [];
  /** Of the steps. */
  readonly heads: Head[] = [];
  readonly warnings: string[] = [];
  /** What the node has not said yet. */
  readonly unkept: (() => void)[] = [];
  end: Head | null = null;
  result: unknown;
  private lastPos: number;

  /** Whether the node says what it has committed. */
  keeps: boolean;
  private readonly hasRead: boolean;

  constructor(
    handler: (flow: Flow) => unknown,
    { journal = [], head = {}, habits = new StepHabits(), hasRead = false, keeps = true, reached = false }: RigOptions = {},
  ) {
    if (reached) this.outside.note();
    this.hasRead = hasRead;
    this.keeps = keeps;
    this.lastPos = journal.at(-1)?.pos ?? 0;
    this.run = new FlowRun(
      { ...HEAD, ...head },
      {
        open: (head) => this.said.push(`open ${said(head)}`),
        step: (head, _effects, body) => this.step(head as Head, body),
        park: (head) => (this.end = head as Head),
        finish: (head, body) => {
          this.end = head as Head;
          this.result = fromValueText(body);
        },
        extend: () => {},
        begin: () => this.said.push("begin"),
        warn: (text) => this.warnings.push(text),
        transaction: (work) => ({
          run: () => (work as (tx: unknown) => unknown)({}),
          effectsJson: null,
          hasRead: this.hasRead,
          abort: () => {},
          close: () => {},
        }),
        soon: (turn) => void setImmediate(turn),
        outside: this.outside,
        callNumber: 1,
      },
      habits,
      (run) => handler(verbsOf(run) as unknown as Flow),
    );
    this.run.entries(journal, true);
  }

  /** Everything that is ready to run has run. */
  async settled(): Promise<this> {
    for (let turns = 0; turns < 40; turns++)
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    return this;
  }

  private step(head: Head, body: string): void {
    this.said.push(`${String(head["phase"])} ${said(head)} ${body.slice(0, 20)}`);
    this.heads.push(head);
    if (head["phase"] === "attempt") return;
    const pos = ++this.lastPos;
    const kept = (): void => this.run.kept(head["step"] as number, pos, (head["atMs"] as number | undefined) ?? 3000 + pos);
    if (this.keeps) setImmediate(kept);
    else this.unkept.push(kept);
  }
}

function verbsOf(run: FlowRun): FlowVerbs {
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const targets = new Targets({}, () => Promise.resolve({}));
  return new FlowVerbs(run, { attempt: 1, params: {}, env: {}, log, targets, stepAround: () => null });
}

function said(head: object): string {
  const { verb, name, number } = head as { verb: string; name: string; number: number };
  return `${verb} ${name}#${number}`;
}

export function entry(pos: number, verb: Entry["verb"], name: string, value: string | null, more: Partial<Entry> = {}): Entry {
  return { pos, verb, name, number: 1, phase: "done", attempt: 1, atMs: 1000 + pos, value, ...more };
}
