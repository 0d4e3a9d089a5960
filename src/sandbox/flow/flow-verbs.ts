import { MillraceError } from "../../core/errors.ts";
import type { Params } from "../context.ts";
import { factsOf } from "../../sdk/definition.ts";
import type { Callback, Flow, MapOptions, StartOptions, StepOptions, WaitOptions } from "../../sdk/flow.ts";
import type { Log } from "../../sdk/context.ts";
import { StepError } from "../../sdk/step-error.ts";
import type { Phase } from "../../protocol/journal.ts";
import type { Command } from "./command.ts";
import { decoded, type FlowRun } from "./flow-run.ts";
import { keptText } from "../../protocol/kept-value.ts";
import { checkNames, durationOf, planOf, wrong } from "./step-command.ts";
import type { Targets } from "./targets.ts";

/** What a flow's handler needs besides its run. */
export interface FlowSurroundings {
  readonly attempt: number;
  readonly params: Params;
  readonly env: Readonly<Record<string, string>>;
  readonly log: Log;
  readonly targets: Targets;
  /** The step in whose context this is asked, if any. */
  readonly stepAround: () => string | null;
}

type AnyStep = (tx: never) => unknown;
type AnyOptions = StepOptions;

const NAME_LIMIT_CHARS = 256;
const CONCURRENCY = 10;
const MOST_CONCURRENCY = 1000;
const MOST_WAIT_PATHS = 8;

/** The verbs of a flow, over its run. */
export class FlowVerbs implements Pick<
  Flow,
  "id" | "attempt" | "params" | "env" | "log" | "sleep" | "sleepUntil" | "all" | "now" | "random" | "uuid"
> {
  readonly id: string;
  readonly attempt: number;
  readonly params: Params;
  readonly env: Readonly<Record<string, string>>;
  readonly log: Log;
  readonly #run: FlowRun;
  readonly #around: FlowSurroundings;

  constructor(run: FlowRun, around: FlowSurroundings) {
    this.id = run.head.id;
    this.attempt = around.attempt;
    this.params = around.params;
    this.env = around.env;
    this.log = around.log;
    this.#run = run;
    this.#around = around;
  }

  readonly step = async (name: string, work: AnyStep, options?: AnyOptions): Promise<unknown> => {
    const where = this.#check("step", name);
    if (typeof work !== "function") throw wrong(`${where} wants a function: flow.step("${name}", (tx) => …)`);
    const plan = planOf(where, options, this.#run.usualPlan);
    return this.#run.step("step", name, stepResult(name), plan, work, options?.rollback).promise;
  };

  readonly sleep = async (name: string, duration: number | string): Promise<void> => {
    const where = this.#check("sleep", name);
    const ms = durationOf(where, "duration", duration);
    await this.#run.ask("sleep", name, nothing, () => ({ head: { ms } }));
  };

  readonly sleepUntil = async (name: string, moment: Date | number | string): Promise<void> => {
    const where = this.#check("sleepUntil", name);
    const atMs = moment instanceof Date ? moment.getTime() : typeof moment === "string" ? Date.parse(moment) : moment;
    if (typeof atMs !== "number" || !Number.isFinite(atMs))
      throw wrong(`${where}: the moment must be a Date, milliseconds since the epoch, or an RFC 3339 time`);
    await this.#run.ask("sleep", name, nothing, () => ({ head: { atMs } }));
  };

  readonly waitFor = async (name: string, event: unknown, options: WaitOptions = {}): Promise<unknown> => {
    const where = this.#check("waitFor", name);
    const type = typeof event === "string" ? event : typeOf(event);
    if (type === null || type === "") throw wrong(`${where} wants the type of an event, or what event() returned`);
    if (type.includes("*")) throw wrong(`${where}: "${type}" is a pattern; a wait names one type`);
    const facts = waitFacts(where, event, options);
    return await this.#run.ask("wait", name, eventOf, () => ({ head: { type, ...facts } }));
  };

  readonly callback = async (name: string, options: { readonly timeout?: number | string } = {}): Promise<Callback> => {
    const where = this.#check("callback", name);
    checkNames(where, options, ["timeout"]);
    const timeoutMs = options.timeout === undefined ? null : durationOf(where, "timeout", options.timeout);
    const run = this.#run;
    const number = run.number("callback", name);
    const read = (phase: Phase, value: string | null): unknown => {
      throwFailed(phase, value, `callback "${name}"`);
      const { url } = JSON.parse(value ?? "{}") as { url: string };
      const answer = run.ask("answer", name, answerOf(name), () => ({ head: {} }), number);
      return Object.freeze({ url, result: () => answer });
    };
    return (await run.ask("callback", name, read, () => ({ head: { timeoutMs } }), number)) as Callback;
  };

  readonly call = async (name: string, target: unknown, input: unknown, options: StartOptions = {}): Promise<unknown> => {
    const where = this.#check("call", name);
    const id = startId(where, options);
    const body = keptText(input, `the input of ${where}`);
    // Numbered before it is known what it is called: the order of the handler's own words counts.
    const number = this.#run.number("call", name);
    const flow = await this.#around.targets.nameOf(where, target, ["flow", "fn"]);
    return await this.#run.ask("call", name, stepResult(name), () => ({ head: { target: flow, id }, body }), number);
  };

  readonly start = async (target: unknown, input: unknown, options: StartOptions = {}): Promise<{ readonly id: string }> => {
    const flow = await this.#around.targets.nameOf("flow.start", target, ["flow"]);
    const where = this.#check("start", flow);
    const id = startId(where, options);
    const body = keptText(input, `the input of ${where}`);
    return (await this.#run.ask("start", flow, startedOf, () => ({ head: { target: flow, id }, body }))) as { readonly id: string };
  };

  readonly map = async (
    name: string,
    items: Iterable<unknown>,
    work: (tx: never, item: unknown, index: number) => unknown,
    options: MapOptions = {},
  ): Promise<unknown[]> => {
    const where = this.#check("map", name);
    if (typeof work !== "function") throw wrong(`${where} wants a function: flow.map("${name}", items, (tx, item) => …)`);
    const plan = planOf(where, options, this.#run.usualPlan, ["concurrency", "tolerate"]);
    const list = [...items];
    const atOnce = concurrencyOf(where, options.concurrency);
    const tolerated = toleratedOf(where, options.tolerate, list.length);
    const run = this.#run;
    run.remark("map", name, run.number("map", name), { total: list.length, tolerated });
    const results: unknown[] = Array.from({ length: list.length });
    const failures: Error[] = [];
    let next = 0;
    const work1 = async (): Promise<void> => {
      while (next < list.length && failures.length <= tolerated) {
        const index = next++;
        const item = list[index];
        try {
          const undo = options.rollback as AnyUndo | undefined;
          results[index] = await run.step("step", name, stepResult(name), plan, (tx) => work(tx, item, index), undo).promise;
        } catch (error) {
          if (!(error instanceof StepError)) throw error;
          failures.push(error);
          results[index] = error;
        }
      }
    };
    await this.all(Array.from({ length: Math.min(atOnce, list.length) }, work1));
    const [first] = failures;
    if (first !== undefined && failures.length > tolerated) throw first;
    return results;
  };

  readonly all = async <const Promises extends readonly unknown[]>(
    promises: Promises,
  ): Promise<{ -readonly [K in keyof Promises]: Awaited<Promises[K]> }> => {
    const settled = await Promise.allSettled(promises);
    const failed = settled.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
    return settled.map((each) => (each.status === "fulfilled" ? each.value : undefined)) as {
      -readonly [K in keyof Promises]: Awaited<Promises[K]>;
    };
  };

  readonly now = (): Date => new Date(this.#run.nowMs);
  readonly random = (): number => this.#run.randomness.number();
  readonly uuid = (): string => this.#run.randomness.uuid();

  #check(verb: string, name: unknown): string {
    const around = this.#around.stepAround();
    if (around !== null)
      throw new MillraceError("bad_option", `flow.${verb} inside of ${around}: a step is one transaction, and begins nothing of the flow`, {
        cure: "Use what the step's own tx offers, or call the flow's verbs between steps.",
      });
    if (typeof name !== "string" || name === "" || name.length > NAME_LIMIT_CHARS)
      throw wrong(`flow.${verb} wants a name of 1 to ${NAME_LIMIT_CHARS} characters as its first argument`);
    if (!name.isWellFormed() || /\p{Cc}/u.test(name))
      throw wrong(`flow.${verb}: the name ${JSON.stringify(name)} holds control characters`);
    return `flow.${verb}(${JSON.stringify(name)})`;
  }
}

type AnyUndo = (tx: never, result: never) => unknown;

function nothing(): undefined {}

/** What a step came to, or a call: its last error is the cause. */
function stepResult(name: string): Command["read"] {
  return (phase, value, attempt) => {
    if (phase === "done") return decoded(value);
    throw new StepError({ step: name, attempts: attempt, cause: decoded(value) });
  };
}

function answerOf(name: string): Command["read"] {
  return (phase, value) => {
    throwFailed(phase, value, `callback "${name}"`);
    return value === null ? null : decoded(value);
  };
}

function throwFailed(phase: Phase, value: string | null, what: string): void {
  if (phase !== "failed") return;
  const error = decoded(value);
  throw error instanceof Error ? error : new Error(`${what} failed: ${String(error)}`);
}

/** The journal keeps the event with its number; null after the timeout. */
function eventOf(phase: Phase, value: string | null): unknown {
  throwFailed(phase, value, "the wait");
  return value === null ? null : (JSON.parse(value) as { event: unknown }).event;
}

function startedOf(phase: Phase, value: string | null): unknown {
  throwFailed(phase, value, "the start");
  return Object.freeze(JSON.parse(value ?? "{}"));
}

function typeOf(event: unknown): string | null {
  const facts = factsOf(event);
  return facts?.kind === "event" ? facts.type : null;
}

function waitFacts(where: string, event: unknown, options: WaitOptions): object {
  checkNames(where, options, ["match", "where", "timeout", "since"]);
  const { match = {}, where: pattern, timeout, since = "step" } = options;
  if (since !== "step" && since !== "start") throw wrong(`${where}: \`since\` must be "step" or "start"`);
  if (typeof match !== "object" || match === null || Array.isArray(match))
    throw wrong(`${where}: \`match\` must be an object of paths and values`);
  const pairs = Object.entries(match).sort(([a], [b]) => (a < b ? -1 : 1));
  if (pairs.length > MOST_WAIT_PATHS) throw wrong(`${where}: \`match\` has ${pairs.length} paths; at most ${MOST_WAIT_PATHS} are allowed`);
  for (const [path, value] of pairs) {
    if (!/^(?:data(?:\.[^.]+)+|[a-z0-9]+)$/.test(path)) throw wrong(`${where}: "${path}" is no path of an event, such as "data.order"`);
    if (value !== null && !["string", "number", "boolean"].includes(typeof value))
      throw wrong(`${where}: \`match\` at "${path}" must be a string, a number, a boolean or null`);
  }
  const facts = factsOf(event);
  const own = facts?.kind === "event" ? facts.where : undefined;
  const sql = facts?.kind === "event" ? facts.sql : undefined;
  return {
    match: pairs,
    // The definition's own pattern holds too.
    where: [own, pattern].filter((each) => each !== undefined),
    sql: sql ?? null,
    timeoutMs: timeout === undefined ? null : durationOf(where, "timeout", timeout),
    since,
  };
}

function startId(where: string, options: StartOptions): string | null {
  checkNames(where, options, ["id"]);
  const { id } = options;
  if (id === undefined) return null;
  checkRunId(where, id);
  return id;
}

/** A run's id goes into addresses and logs. */
export function checkRunId(where: string, id: unknown): asserts id is string {
  if (typeof id !== "string" || !/^[\x21-\x7e]{1,128}$/.test(id))
    throw wrong(`${where}: the id of a run has 1 to 128 characters of ASCII without spaces, not ${JSON.stringify(id)}`);
}

function concurrencyOf(where: string, concurrency: unknown): number {
  if (concurrency === undefined) return CONCURRENCY;
  if (typeof concurrency === "number" && Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= MOST_CONCURRENCY)
    return concurrency;
  throw wrong(`${where}: \`concurrency\` must be a whole number from 1 to ${MOST_CONCURRENCY}`);
}

function toleratedOf(where: string, tolerate: unknown, total: number): number {
  if (tolerate === undefined) return 0;
  if (typeof tolerate === "number" && Number.isInteger(tolerate) && tolerate >= 0) return tolerate;
  const share = typeof tolerate === "string" ? /^(\d+(?:\.\d+)?)%$/.exec(tolerate)?.[1] : undefined;
  if (share !== undefined && Number(share) <= 100) return Math.floor((total * Number(share)) / 100);
  throw wrong(`${where}: \`tolerate\` must be a whole number, or a share such as "5%"`);
}
