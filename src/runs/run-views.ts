import { MillraceError } from "../core/errors.ts";
import type { FlowHost } from "../delivery/flow-runner.ts";
import type { Pool } from "../pool/pool.ts";
import type { FunctionManifest, Release } from "../protocol/manifest.ts";
import type { JournalEntry, RunState, RunView, Seq, Store } from "../store/store.ts";
import { checkRun } from "./check-run.ts";
import type { HeldReleases } from "./held-releases.ts";
import { MapProgress } from "./map-progress.ts";
import type { HeldRelease, RunCheck, RunDetails, RunProgress } from "./runs.ts";

const LIVE_STATES: readonly RunState[] = ["ready", "waiting", "sleeping", "paused", "rolling-back", "stuck"];
const PAGE_BYTES = 1024 * 1024;
const PAGE_RUNS = 200;
const WATCH_MS = 200;

export interface RunViewsDeps {
  readonly store: Store;
  readonly pool: Pool;
  readonly host: FlowHost;
  readonly releasesHeld: HeldReleases;
  /** A release of a folder, made to be tried. */
  readonly loadAside: (appDirectory: string) => Promise<Release>;
  readonly functionOf: (release: string, fn: string) => Promise<FunctionManifest | null>;
  /** Of the live release; throws where there is none of this name. */
  readonly liveFlow: (name: string) => FunctionManifest;
  /** It is at work in an instance. */
  readonly isRunning: (run: Seq) => boolean;
  /** The run as it is when it has ended, or after this time. */
  readonly untilEnd: (run: RunView, waitMs: number) => Promise<RunView>;
  readonly isStopped: () => boolean;
}

/** What people look at: runs with their journals, as they go on, what they hold, and whether they fit other code. */
export class RunViews {
  private readonly deps: RunViewsDeps;

  constructor(deps: RunViewsDeps) {
    this.deps = deps;
  }

  async found(id: string): Promise<RunView> {
    const run = await this.deps.store.run(id);
    if (run === null)
      throw new MillraceError("not_found", `there is no run "${id}"`, { cure: "`millrace runs list` shows the runs there are." });
    return run;
  }

  async show(id: string): Promise<RunDetails> {
    const run = await this.found(id);
    const [journal, children, fn] = await Promise.all([
      this.journalOf(run.seq),
      this.deps.store.runs({ parent: run.seq, limit: 1000 }),
      this.deps.functionOf(run.release, run.fn),
    ]);
    const flow = { file: fn?.file ?? null, memoryBytes: fn?.memoryBytes ?? null };
    return { run, journal, children, flow, running: this.deps.isRunning(run.seq) };
  }

  async *watch(id: string, signal: AbortSignal): AsyncGenerator<RunProgress> {
    let run = await this.found(id);
    const maps = new MapProgress();
    for (let after = 0; ;) {
      const entries: JournalEntry[] = [];
      for (let more = true; more;) {
        const page = await this.deps.store.journal(run.seq, after, PAGE_BYTES);
        entries.push(...page.entries);
        after = page.entries.at(-1)?.pos ?? after;
        more = page.more;
      }
      maps.read(entries);
      yield { run, running: this.deps.isRunning(run.seq), entries, maps: maps.view() };
      if (run.endedMs !== null || signal.aborted || this.deps.isStopped()) return;
      run = await this.deps.untilEnd(run, WATCH_MS);
    }
  }

  async releases(): Promise<readonly HeldRelease[]> {
    const held = new Map<string, { flow: string; runs: number }[]>();
    for (const { release, fn, runs } of await this.deps.store.runReleases()) {
      const flows = held.get(release);
      if (flows === undefined) held.set(release, [{ flow: fn, runs }]);
      else flows.push({ flow: fn, runs });
    }
    const live = this.deps.host.live.id;
    return await Promise.all(
      [...held].map(async ([release, flows]) => ({
        release,
        live: release === live,
        present: (await this.deps.releasesHeld.find(release)) !== null,
        flows,
      })),
    );
  }

  async *check(wanted: string, { flow }: { readonly flow?: string }, signal: AbortSignal): AsyncGenerator<RunCheck> {
    const release = await this.releaseToCheck(wanted);
    const functions = new Map(release.manifest.functions.map((fn) => [fn.name, fn]));
    // A name that nothing has would fit by having no runs. One that only earlier releases have is known by its runs.
    if (flow !== undefined && functions.get(flow)?.flow === undefined && (await this.deps.store.runs({ fn: flow, limit: 1 })).length === 0)
      this.deps.liveFlow(flow);
    for (let after = 0, more = true; more && !signal.aborted;) {
      const page = await this.deps.store.runs({
        states: LIVE_STATES,
        after,
        limit: PAGE_RUNS,
        ...(flow === undefined ? {} : { fn: flow }),
      });
      for (const run of page) {
        if (signal.aborted) return;
        if (run.kind === "flow") yield await checkRun(run, functions.get(run.fn) ?? null, release.id, this.deps);
      }
      after = page.at(-1)?.seq ?? after;
      more = page.length === PAGE_RUNS;
    }
  }

  private async releaseToCheck(wanted: string): Promise<Release> {
    const id = wanted === "live" ? this.deps.host.live.id : wanted;
    const release = wanted.startsWith("app:")
      ? await this.deps.loadAside(wanted.slice("app:".length))
      : await this.deps.releasesHeld.find(id);
    if (release === null)
      throw new MillraceError("not_found", `there is no release "${wanted}"`, {
        cure: "`millrace runs releases` lists those that runs are on.",
      });
    this.deps.releasesHeld.keep(release);
    return release;
  }

  async journalOf(run: Seq): Promise<readonly JournalEntry[]> {
    const entries: JournalEntry[] = [];
    for (let more = true; more;) {
      const page = await this.deps.store.journal(run, entries.at(-1)?.pos ?? 0, PAGE_BYTES);
      entries.push(...page.entries);
      more = page.more;
    }
    return entries;
  }
}
