import { MillraceError } from "../../core/errors.ts";
import type { HttpRequest } from "../../delivery/delivery.ts";
import { toValueText } from "../../protocol/value-text.ts";
import type { HeldRelease, HttpRunResult, RunCheck, RunDetails, RunProgress, Runs } from "../../runs/runs.ts";
import type { JournalEntry, NewEntry, RunQuery, RunView } from "../../store/store.ts";

/** A room of runs that says what a test wrote into it, and remembers what it was asked. */
export class ScriptedRuns implements Runs {
  views: RunView[] = [];
  journals = new Map<string, readonly JournalEntry[]>();
  held: HeldRelease[] = [];
  checks: RunCheck[] = [];
  /** What `watch` tells, line by line; without it one line, of the run as it is. */
  progress: RunProgress[] = [];
  /** A watch goes on after its last line, until its reader leaves. */
  endless = false;
  /** Called when somebody begins to watch. */
  onWatch: () => void = () => {};
  httpResult: HttpRunResult = { kind: "accepted", id: "r-http" };
  memoryBytes: number | null = 128 * 1024 * 1024;
  readonly queries: RunQuery[] = [];
  readonly requests: HttpRequest[] = [];
  readonly begun: { flow: string; input: string; id: string | null }[] = [];
  readonly orders: unknown[][] = [];

  begin: Runs["begin"] = async (wanted) => {
    this.begun.push(wanted);
    const id = wanted.id ?? "r-new";
    return { id, run: 90, flow: wanted.flow, existing: this.views.some((view) => view.id === id) };
  };

  http: Runs["http"] = async (request) => {
    this.requests.push(request);
    return this.httpResult;
  };

  ended: Runs["ended"] = async () => notAsked();
  answer: Runs["answer"] = async () => notAsked();

  cancel: Runs["cancel"] = async (id, order) => this.order("cancel", id, order);
  resume: Runs["resume"] = async (id, order) => this.order("resume", id, order);
  signal: Runs["signal"] = async (id, order) => this.order("signal", id, order);

  rerun: Runs["rerun"] = async (id) => {
    const run = this.order("rerun", id);
    return { id: `${id}-again`, run: 91, flow: run.fn, existing: false };
  };

  fork: Runs["fork"] = async (id, order) => {
    const run = this.order("fork", id, order);
    return { id: `${id}-forked`, run: 92, flow: run.fn, existing: false };
  };

  list: Runs["list"] = async (query) => {
    this.queries.push(query);
    const { fn, states, parent, limit } = query;
    const fits = (view: RunView): boolean =>
      (fn === undefined || view.fn === fn) &&
      (states === undefined || states.includes(view.state)) &&
      (parent === undefined || view.parent === parent);
    return this.views.filter(fits).slice(0, limit);
  };

  show = async (id: string): Promise<RunDetails> => {
    const run = this.found(id);
    return {
      run,
      journal: this.journals.get(id) ?? [],
      children: this.views.filter(({ parent }) => parent === run.seq),
      flow: { file: "functions/orders.ts", memoryBytes: this.memoryBytes },
      running: run.state === "ready",
    };
  };

  async *watch(id: string, signal: AbortSignal): AsyncGenerator<RunProgress> {
    this.onWatch();
    const run = this.found(id);
    const entries = this.journals.get(id) ?? [];
    yield* this.progress.length > 0 ? this.progress : [{ run, running: false, entries, maps: [] }];
    if (this.endless) await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  }

  releases: Runs["releases"] = async () => this.held;

  async *check(release: string, query: { readonly flow?: string }): AsyncGenerator<RunCheck> {
    this.orders.push(["check", release, query]);
    yield* this.checks.filter(({ flow }) => query.flow === undefined || flow === query.flow);
  }

  private order(verb: string, id: string, ...order: unknown[]): RunView {
    const run = this.found(id);
    this.orders.push([verb, id, ...order]);
    if (run.endedMs !== null && verb !== "rerun" && verb !== "fork")
      throw new MillraceError("run_state", `the run ${id} has ended (${run.state})`);
    return run;
  }

  private found(id: string): RunView {
    const run = this.views.find((view) => view.id === id);
    if (run === undefined) throw new MillraceError("not_found", `there is no run "${id}"`);
    return run;
  }
}

function notAsked(): never {
  throw new Error("the control door has no business with this");
}

/** As journals keep it. */
export function kept(value: unknown): string {
  const written = toValueText(value);
  if (!written.ok) throw new Error(written.what);
  return written.text;
}

export function runView(id: string, given: Partial<RunView> = {}): RunView {
  return {
    seq: 12,
    id,
    fn: "fulfil",
    kind: "flow",
    release: "abc123",
    state: "waiting",
    event: 3,
    startedMs: 5000,
    endedMs: null,
    dueMs: null,
    deadlineMs: null,
    parent: null,
    parentId: null,
    entries: 0,
    note: null,
    value: null,
    attempt: 0,
    errors: [],
    ...given,
  };
}

/** `verb name number phase`, and what else a test wants to say of it; a kept value is `kept`, other text stands as it is. */
export function entry(pos: number, command: string, given: Partial<NewEntry> & { readonly atMs?: number } = {}): JournalEntry {
  const [verb = "step", name = "", number = "1", phase = "done"] = command.split("/");
  const attempts = verb === "step" || verb === "rollback" ? 1 : 0;
  return {
    pos,
    verb: verb as NewEntry["verb"],
    name,
    number: Number(number),
    phase: phase as NewEntry["phase"],
    attempt: attempts,
    ranMs: 0,
    value: null,
    atMs: 5000 + pos,
    atSeq: 20 + pos,
    ...given,
  };
}
