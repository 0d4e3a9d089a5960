import { MillraceError } from "../core/errors.ts";
import type { Pool, RunOutcome } from "../pool/pool.ts";
import type { FunctionManifest } from "../protocol/manifest.ts";
import type { RunView, Store } from "../store/store.ts";
import { HTTP_TYPE } from "./run-driven.ts";
import { toldAll } from "./run-entries.ts";
import type { Mismatch, RunCheck } from "./runs.ts";

const PAGE_BYTES = 1024 * 1024;

/** Replays a run's journal against a function of some release: nothing is begun by it, and nothing is written. */
export async function checkRun(
  run: RunView,
  fn: FunctionManifest | null,
  release: string,
  deps: { readonly store: Store; readonly pool: Pool },
): Promise<RunCheck> {
  const facts = { id: run.id, flow: run.fn };
  if (fn?.flow === undefined) return { ...facts, fits: false, mismatch: null, error: `the release has no flow "${run.fn}"` };
  const delivery = await deps.store.delivery(run.seq);
  if (delivery === null) return { ...facts, fits: true, mismatch: null, error: null };
  const outcome = await replay(run, fn, release, delivery.eventJson, delivery.eventType, deps);
  if (outcome.kind === "parked") {
    const mismatch = outcome.head["reason"] === "mismatch" ? (outcome.head["mismatch"] as Mismatch) : null;
    return { ...facts, fits: mismatch === null, mismatch, error: null };
  }
  if (outcome.kind === "finished")
    return { ...facts, fits: false, mismatch: null, error: "the handler comes to its end, where the run still waits" };
  return { ...facts, fits: false, mismatch: null, error: `${outcome.error.name}: ${outcome.error.message}` };
}

async function replay(
  run: RunView,
  fn: FunctionManifest,
  release: string,
  eventJson: string,
  eventType: string,
  { store, pool }: { readonly store: Store; readonly pool: Pool },
): Promise<RunOutcome> {
  const pages: string[] = [];
  for (let after = 0, more = true; more;) {
    const page = await store.journal(run.seq, after, PAGE_BYTES);
    pages.push(toldAll(page.entries, () => "https://callback.invalid/"));
    after = page.entries.at(-1)?.pos ?? after;
    more = page.more;
  }
  return await pool.run({
    kind: "run",
    id: `check/${run.id}`,
    fn: fn.name,
    release,
    attempt: 1,
    timeoutMs: fn.timeoutMs,
    alone: false,
    kv: NOTHING,
    kvOf: () => NOTHING,
    log: () => {},
    eventJson,
    run: {
      id: run.id,
      seed: "",
      startedMs: run.startedMs,
      nowMs: run.startedMs,
      http: eventType === HTTP_TYPE,
      policy: { ...fn.retry, onExhausted: "throw" },
      timeoutMs: fn.timeoutMs,
      checkSchema: false,
      check: true,
      begun: true,
      ahead: "no",
    },
    begun: (link) => {
      for (const page of pages) link.entries(page, false);
      link.entries("[]", true);
    },
    onMessage: () => {},
  });
}

const refuse = (): Promise<never> => Promise.reject(new MillraceError("internal", "a check reads nothing"));
const NOTHING = { get: refuse, list: refuse };
