import { rmSync } from "node:fs";
import { join } from "node:path";
import { NodeProcess, pause } from "../node-process.ts";
import { Random } from "../random.ts";
import { type Difference, judge } from "./judge.ts";
import { type Program, randomProgram } from "./program.ts";
import { RunFile } from "./run-file.ts";

export const APP = join(import.meta.dirname, "app");

export interface VerifyOptions {
  readonly seed: number;
  readonly programs: number;
  readonly kills: number;
  /** Programs that may be under way at once. */
  readonly atOnce?: number;
  /** These, in place of those that the seed makes. */
  readonly given?: readonly Program[];
  readonly onProgress?: (far: { readonly begun: number; readonly kills: number }) => void;
}

export interface VerifyReport {
  readonly seed: number;
  readonly programs: number;
  readonly kills: number;
  readonly instanceKills: number;
  readonly seconds: number;
  readonly differences: readonly Difference[];
  /** Of programs that differ or have not ended: what their journals hold. */
  readonly journals: readonly string[];
}

/** Without any change for so long, what has not ended is stuck. */
const STUCK_MS = 30_000;
const LOOK_MS = 40;
const PAGE = 1000;

export function programsOf(seed: number, count: number): readonly Program[] {
  return Array.from({ length: count }, (_, i) => randomProgram(`p${i}`, new Random(seed * 1_000_003 + i)));
}

/** Begins the programs on a node that is killed again and again, answers what they wait for, and judges what they came to. */
export async function verify(options: VerifyOptions): Promise<VerifyReport> {
  const startedMs = Date.now();
  const programs = options.given ?? programsOf(options.seed, options.programs);
  const driving = new Driving(await NodeProcess.start(APP), programs, options);
  try {
    await driving.run();
    return {
      ...(await driving.judge()),
      seed: options.seed,
      programs: programs.length,
      seconds: Math.round((Date.now() - startedMs) / 100) / 10,
    };
  } finally {
    await driving.end();
  }
}

interface Todo {
  readonly event?: boolean;
  readonly url?: string;
  readonly how?: "complete" | "twice" | "fail" | "timeout";
  readonly cancel?: "cancelled" | "dropped";
}

class Driving {
  private node: NodeProcess;
  private readonly programs: readonly Program[];
  private readonly options: VerifyOptions;
  private readonly random: Random;
  private readonly file: RunFile;
  private readonly answered = new Set<string>();
  private begun = 0;
  private kills = 0;
  private instanceKills = 0;
  private live = 0;
  private over = false;
  /** What the driver itself could not do. */
  private broken: unknown = null;
  /** Nameless programs whose requests are under way. */
  private readonly asking = new Set<Promise<void>>();
  /** Those whose requests were lost: whether they have begun is not known. */
  private readonly unsure = new Set<string>();
  private readonly stuck: string[] = [];

  constructor(node: NodeProcess, programs: readonly Program[], options: VerifyOptions) {
    this.node = node;
    this.programs = programs;
    this.options = options;
    this.random = new Random(options.seed);
    this.file = new RunFile(node.data);
  }

  async run(): Promise<void> {
    const answering = this.answerAll();
    const killing = this.killAll();
    await this.beginAll();
    await killing;
    await this.untilEnded();
    this.over = true;
    await answering;
  }

  async judge(): Promise<Pick<VerifyReport, "kills" | "instanceKills" | "differences" | "journals">> {
    const kv = new Map<string, unknown>();
    for (const prefix of ["count", "shared", "order"]) for (const { key, value } of await this.report(prefix)) kv.set(key, value);
    const unended: Difference[] = this.stuck.map((program) => ({ program, rule: "X1", text: "has not ended" }));
    const differences = [...unended, ...judge(this.programs, { runs: this.file.runs(), kv, unsure: this.unsure })];
    const named = [...new Set(differences.flatMap(({ program }) => program ?? []))];
    const journals = [
      ...named.slice(0, 5).flatMap((program) => this.file.journal(program)),
      ...(this.stuck.length > 0 ? this.file.others().slice(0, 5) : []),
    ];
    return { kills: this.kills, instanceKills: this.instanceKills, differences, journals };
  }

  async end(): Promise<void> {
    this.over = true;
    this.file.close();
    await this.node.stop({ keepData: true });
    rmSync(this.node.data, { recursive: true, force: true });
  }

  private async beginAll(): Promise<void> {
    const { atOnce = 60 } = this.options;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let program = this.next(); program !== undefined; program = this.next()) {
          if (this.broken !== null) throw this.broken;
          while ((this.live = this.file.live()) > atOnce) await pause(LOOK_MS);
          this.options.onProgress?.({ begun: this.begun, kills: this.kills });
          await this.begin(program);
        }
      }),
    );
  }

  private next(): Program | undefined {
    return this.programs[this.begun++];
  }

  /** Until the node has said that it is on disk; what may have been lost on the way is sent again (X8). */
  private async begin(program: Program): Promise<void> {
    const { id, end } = program;
    if (program.nameless === true) {
      const asking = this.ask(program).finally(() => this.asking.delete(asking));
      this.asking.add(asking);
      return;
    }
    if (end === "done" || end === "throws")
      await this.insist("/programs", JSON.stringify(program), {
        "idempotency-key": id,
        prefer: "wait=0",
        "content-type": "application/json",
      });
    else await this.emit({ id: `begin ${id}`, type: "program", data: { id, program } });
  }

  private async ask(program: Program): Promise<void> {
    const headers = { prefer: "wait=1", "content-type": "application/json" };
    const response = await fetch(`${this.node.gateway}/programs`, { method: "POST", body: JSON.stringify(program), headers }).catch(
      () => null,
    );
    await response?.arrayBuffer().catch(() => {});
    const status = response?.status ?? 0;
    if (status === 0 || status === 502 || status === 503) this.unsure.add(program.id);
    else if (status !== 200 && status !== 202 && status !== 500) this.broken ??= new Error(`a nameless program was answered ${status}`);
  }

  private emit(event: { id: string; type: string; data: object }): Promise<void> {
    const whole = JSON.stringify({ specversion: "1.0", source: "/verify", ...event });
    return this.insist("/_/events", whole, { "content-type": "application/cloudevents+json" });
  }

  private async insist(path: string, body: string, headers: Record<string, string>): Promise<void> {
    for (;;) {
      const url = path.startsWith("http") ? path : `${this.node.gateway}${path}`;
      const status = await fetch(url, { method: "POST", body, headers }).then(
        async (response) => {
          await response.arrayBuffer();
          return response.status;
        },
        () => 0,
      );
      // 500 is a run that failed, 410 one that was cancelled or a callback that is over, 409 a second answer: each is known to the node.
      if ((status >= 200 && status < 300) || status === 500 || status === 409 || status === 410) return;
      if (status !== 0 && status !== 503 && status !== 502) throw new Error(`${path} answered ${status}`);
      await pause(LOOK_MS);
    }
  }

  // ── what programs wait for ──

  private async answerAll(): Promise<void> {
    while (!this.over) {
      try {
        for (const { key, value } of await this.report("todo")) {
          if (this.answered.has(key)) continue;
          this.answered.add(key);
          this.answer(key, value as Todo).catch((error: unknown) => (this.broken ??= error));
        }
      } catch {
        // The node is away: what it wants will be there when it is back.
      }
      await pause(LOOK_MS);
    }
  }

  private async answer(key: string, todo: Todo): Promise<void> {
    const [, program = "", name = ""] = key.split(" ");
    await pause(this.random.whole(0, 60));
    if (todo.event === true) await this.emit({ id: `answer ${program} ${name}`, type: "answer", data: { program, key: name, n: 7 } });
    if (todo.cancel !== undefined)
      await this.emit({ id: `end ${program}`, type: todo.cancel === "cancelled" ? "cancel" : "drop", data: { id: program } });
    if (todo.url === undefined || todo.how === "timeout") return;
    const json = { "content-type": "application/json" };
    if (todo.how === "fail") await this.insist(`${todo.url}/fail`, '{"message":"no"}', json);
    else await this.insist(todo.url, '{"n":7}', json);
    // The second answer changes nothing.
    if (todo.how === "twice") await this.insist(todo.url, '{"n":8}', json);
  }

  private async report(prefix: string): Promise<{ key: string; value: unknown }[]> {
    const all: { key: string; value: unknown }[] = [];
    for (let after: string | undefined = ""; after !== undefined;) {
      const response = await fetch(`${this.node.gateway}/report/${prefix}${after === "" ? "" : `?after=${encodeURIComponent(after)}`}`);
      if (!response.ok) throw new Error(`/report answered ${response.status}`);
      const page = (await response.json()) as { key: string; value: unknown }[];
      all.push(...page);
      after = page.length === PAGE ? page.at(-1)?.key : undefined;
    }
    return all;
  }

  // ── kills ──

  /** Spread over the programs, so that each finds some under way. */
  private async killAll(): Promise<void> {
    const { kills } = this.options;
    for (let i = 0; i < kills; i++) {
      const share = ((i + 0.5) / kills) * this.programs.length;
      while (this.begun < share) await pause(LOOK_MS / 4);
      await pause(this.random.whole(0, 250));
      if (this.random.chance(0.3)) this.killInstance();
      await this.killNode();
    }
  }

  private killInstance(): void {
    const pid = this.random.pick([...this.node.instancePids(), 0]);
    if (pid === 0) return;
    try {
      process.kill(pid, "SIGKILL");
      this.instanceKills++;
    } catch {
      // It has gone by itself.
    }
  }

  private async killNode(): Promise<void> {
    if (!this.node.running) throw new Error(`the node ended by itself:\n${this.node.output}`);
    await this.node.kill();
    this.kills++;
    const { data, port } = this.node;
    this.node = await NodeProcess.launch(APP, { data, port });
    await this.node.ready();
  }

  // ── ends ──

  private async untilEnded(): Promise<void> {
    let before = "";
    for (let sinceMs = Date.now(); ; await pause(LOOK_MS)) {
      if (this.broken !== null) throw this.broken;
      this.live = this.file.live();
      if (this.live === 0 && this.begun >= this.programs.length && this.asking.size === 0) return;
      const now = `${this.live} ${this.answered.size}`;
      if (now !== before) sinceMs = Date.now();
      before = now;
      if (Date.now() - sinceMs < STUCK_MS) continue;
      this.stuck.push(...this.file.unended());
      if (this.stuck.length === 0) this.stuck.push("(children)");
      return;
    }
  }
}
