import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Rate } from "./rounds.ts";
import type { Hits } from "./scale-events.ts";

export type Ask =
  | { readonly kind: "load" }
  | { readonly kind: "check"; readonly hits: Hits }
  | { readonly kind: "measure"; readonly hits: Hits; readonly ms: number };

export interface Loaded {
  readonly loadS: number;
  /** Of all threads, the collector's too. */
  readonly loadCpuS: number;
  /** Null for so few rules that the collector's own ups and downs are more. */
  readonly heapBytesPerRule: number | null;
  /** What the matcher tells of itself, if it does. */
  readonly stats: unknown;
}

export type Answer = Loaded | Rate | number;

/** A process with one matcher of so many rules; does what it is asked, one thing at a time. */
export class ScaleProcess {
  private readonly rules: number;
  private readonly child: ChildProcess;

  constructor(rules: number) {
    this.rules = rules;
    this.child = fork(join(import.meta.dirname, "scale-child.ts"), [String(rules)], {
      execArgv: [...process.execArgv, "--expose-gc", "--max-old-space-size=12288"],
    });
  }

  async load(): Promise<Loaded> {
    return (await this.ask({ kind: "load" })) as Loaded;
  }

  /** How many events were looked at; a wrong answer ends the process, and with it the benchmark. */
  async check(hits: Hits): Promise<number> {
    return (await this.ask({ kind: "check", hits })) as number;
  }

  async measure(hits: Hits, ms: number): Promise<Rate> {
    return (await this.ask({ kind: "measure", hits, ms })) as Rate;
  }

  end(): void {
    this.child.kill();
  }

  private async ask(ask: Ask): Promise<Answer> {
    const aborted = new AbortController();
    const ended = once(this.child, "exit", { signal: aborted.signal }).then(() => {
      throw new Error(`the process with ${this.rules} rules ended: its own words are above`);
    });
    this.child.send(ask);
    try {
      const [answer] = (await Promise.race([once(this.child, "message", { signal: aborted.signal }), ended])) as [Answer];
      return answer;
    } finally {
      ended.catch(() => {});
      aborted.abort();
    }
  }
}
