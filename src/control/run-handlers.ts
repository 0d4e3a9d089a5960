import { MillraceError } from "../core/errors.ts";
import type { EventView, RunQuery, Store } from "../store/store.ts";
import { findFunction } from "./find-function.ts";
import { valueTextOf } from "./given-value.ts";
import type { Handlers } from "./handlers.ts";
import type { ControlRooms } from "./node-facts.ts";
import type { QueryOf } from "./operations.ts";
import type { RunCheckShape, RunProgressShape } from "./run-shapes.ts";
import { showBegun, showDetails, showProgress, showRun } from "./run-views.ts";

type RunHandlers = Pick<
  Handlers,
  "runs" | "run" | "beginRun" | "watchRun" | "cancelRun" | "resumeRun" | "rerun" | "forkRun" | "signalRun" | "runReleases" | "checkRuns"
>;

/** The handlers of runs (C16, C17). What a run's state does not allow, and ids that are not there, the room of runs refuses itself. */
export function runHandlers({ node, runs, store }: ControlRooms): RunHandlers {
  return {
    runs: async ({ query }) => ({ runs: (await runs.list(await queryOf(query, store))).map(showRun) }),

    run: async ({ params }) => {
      const details = await runs.show(params.id ?? "");
      return showDetails(details, await eventOf(details.run.event, store));
    },

    beginRun: async ({ body: { flow, input = null, id = null } }) => {
      if (findFunction(flow, node.release()).flow === undefined)
        throw new MillraceError("bad_request", `"${flow}" is a function, not a flow: it has no runs`, {
          cure: "`millrace invoke` calls a function; `millrace functions` says which are flows.",
        });
      return showBegun(await runs.begin({ flow, input: valueTextOf(input, "input"), id }));
    },

    async *watchRun({ params, signal }): AsyncGenerator<RunProgressShape> {
      let before = "";
      for await (const progress of runs.watch(params.id ?? "", signal)) {
        const shown = showProgress(progress);
        // The room looks again and again; whoever watches is told of what is new.
        const state = JSON.stringify({ ...shown, entries: [] });
        if (state !== before || shown.entries.length > 0) yield shown;
        before = state;
      }
    },

    cancelRun: async ({ params, body: { rollback = true, reason = "by hand" } }) =>
      showRun(await runs.cancel(params.id ?? "", { rollback, reason })),

    resumeRun: async ({ params, body: { result, release } }) =>
      showRun(
        await runs.resume(params.id ?? "", {
          ...(result === undefined ? {} : { result: valueTextOf(result, "result") }),
          ...(release === undefined ? {} : { release }),
        }),
      ),

    rerun: async ({ params }) => showBegun(await runs.rerun(params.id ?? "")),

    forkRun: async ({ params, body: { from, release = "same" } }) => showBegun(await runs.fork(params.id ?? "", { from, release })),

    signalRun: async ({ params, body: { wait, data = null } }) =>
      showRun(await runs.signal(params.id ?? "", { wait, data: valueTextOf(data, "data") })),

    runReleases: async () => ({ releases: await runs.releases() }),

    async *checkRuns({ body: { release = "live", flow }, signal }): AsyncGenerator<RunCheckShape> {
      yield* runs.check(release, flow === undefined ? {} : { flow }, signal);
    },
  };
}

async function queryOf({ state, parent, limit = 50, ...rest }: QueryOf<"runs">, store: Store): Promise<RunQuery> {
  return {
    ...rest,
    ...(state === undefined ? {} : { states: state }),
    ...(parent === undefined ? {} : { parent: await seqOf(parent, store) }),
    limit,
  };
}

async function seqOf(id: string, store: Store): Promise<number> {
  const run = await store.run(id);
  if (run === null)
    throw new MillraceError("not_found", `there is no run "${id}"`, { cure: "`millrace runs list` shows the runs there are." });
  return run.seq;
}

/** Null when it is older than what is kept. */
async function eventOf(seq: number, store: Store): Promise<EventView | null> {
  const [next] = await store.events({ after: seq - 1, limit: 1 });
  return next?.seq === seq ? next : null;
}
