import type { ControlClient, Run, RunDetails } from "../../control/client/index.ts";
import { RUN_STATES } from "../../control/run-shapes.ts";
import { didYouMean } from "../../core/near-miss.ts";
import { defineCommand, UsageError } from "../command.ts";
import { connect, JSON_OPTION, NODE_OPTIONS } from "../connect.ts";
import { jsonLine, line, note } from "../io.ts";
import { showLogs } from "../show-logs.ts";
import { OPEN_STATES, reasonWords, runStateWord, showRun, tookWords } from "../show-run.ts";
import { table } from "../table.ts";
import { ago } from "../times.ts";

export const RUN_ARGUMENT = { name: "ID", summary: "The run", kind: "required" } as const;

/** What a run waits for stands in its journal: it is read for the list where it is short. */
const MOST_ENTRIES = 200;

export const runsList = defineCommand({
  name: "runs list",
  summary: "List runs of flows, newest first",
  args: [],
  options: {
    flow: { type: "string", value: "NAME", summary: "Of this flow only" },
    state: { type: "strings", value: "STATE", summary: `In this state: ${RUN_STATES.join(", ")}; several with commas` },
    release: { type: "string", value: "ID", summary: "On this release only" },
    parent: { type: "string", value: "ID", summary: "Called by this run" },
    before: { type: "integer", value: "SEQ", min: 0, max: Number.MAX_SAFE_INTEGER, summary: "Older than this one, to page on" },
    limit: { type: "integer", value: "N", min: 1, max: 1000, standard: 20, summary: "So many" },
    ...NODE_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [
    { line: "millrace runs list --state paused,stuck", says: "what waits for a person" },
    { line: "millrace runs list --flow fulfil --limit 5", says: "the last five runs of one flow" },
  ],
  async run({ options, io }) {
    const { flow: fn, release, parent, before, limit } = options;
    const state = readStates(options.state);
    const client = await connect(options, io);
    const page = await client.runs({
      ...(fn === undefined ? {} : { fn }),
      ...(state.length === 0 ? {} : { state }),
      ...(release === undefined ? {} : { release }),
      ...(parent === undefined ? {} : { parent }),
      ...(before === undefined ? {} : { before }),
      limit,
    });
    if (options.json) {
      for (const run of page) jsonLine(io, run);
      return;
    }
    if (page.length === 0) return note(io, "There are no such runs.");
    const details = await waitingOnes(page, client);
    const colors = io.outColors;
    const head = ["ID", "FLOW", "STATE", "STARTED", "TOOK", "ENTRIES", "WAITS FOR, OR ERROR"].map(colors.dim);
    const rows = page.map((run) => [
      run.id,
      colors.bold(run.fn) + (run.kind === "fn" ? colors.dim(" (fn)") : ""),
      runStateWord(run.state, colors),
      ago(run.startedMs, io.now()),
      tookWords(run, io.now()),
      String(run.entries),
      reasonWords(run, details.get(run.id), io),
    ]);
    line(io, table({ head, rows, right: new Set([5]), columns: io.columns }));
    const last = page.at(-1);
    if (page.length === limit && last !== undefined) note(io, colors.dim(`There may be more: millrace runs list --before ${last.seq}`));
  },
});

function readStates(given: readonly string[]): Run["state"][] {
  return given
    .flatMap((words) => words.split(","))
    .map((word) => {
      const found = RUN_STATES.find((state) => state === word);
      if (found !== undefined) return found;
      throw new UsageError(`--state is one of ${RUN_STATES.join(", ")}, not "${word}"${didYouMean(word, RUN_STATES)}`, "runs list");
    });
}

async function waitingOnes(page: readonly Run[], client: ControlClient): Promise<ReadonlyMap<string, RunDetails>> {
  const wanted = page.filter(({ state, entries }) => OPEN_STATES.has(state) && entries <= MOST_ENTRIES);
  return new Map(await Promise.all(wanted.map(async ({ id }) => [id, await client.run(id)] as const)));
}

export const runsShow = defineCommand({
  name: "runs show",
  summary: "Show a run: its input, each step with its time, cost and result, and how it goes on",
  args: [RUN_ARGUMENT],
  options: {
    full: { type: "boolean", summary: "Whole results, every attempt, and the stacks of errors" },
    ...NODE_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [
    { line: "millrace runs show o1", says: "what this run did, and what it waits for" },
    { line: "millrace runs show o1 --full", says: "with all that its steps came to" },
  ],
  async run({ args: [id = ""], options, io }) {
    const client = await connect(options, io);
    const details = await client.run(id);
    if (options.json) return jsonLine(io, details);
    for (const text of showRun(details, options.full, io)) line(io, text);
  },
});

export const runsLogs = defineCommand({
  name: "runs logs",
  summary: "Show what a run logged",
  args: [RUN_ARGUMENT],
  options: {
    follow: { type: "boolean", short: "f", summary: "Go on with the lines that come, until Ctrl-C" },
    limit: { type: "integer", value: "N", min: 1, max: 1000, standard: 1000, summary: "So many lines to begin with" },
    ...NODE_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [{ line: "millrace runs logs o1 -f", says: "all lines of a run, and those that come" }],
  async run({ args: [invocation = ""], options, io }) {
    const client = await connect(options, io);
    await client.run(invocation);
    await showLogs(client, { invocation, limit: options.limit }, options, io, `The run ${invocation} has logged nothing that is kept.`);
  },
});
