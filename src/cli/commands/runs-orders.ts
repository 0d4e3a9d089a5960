import type { Begun, Run, RunDetails } from "../../control/client/index.ts";
import { didYouMean } from "../../core/near-miss.ts";
import { defineCommand, UsageError } from "../command.ts";
import { connect, JSON_OPTION, NODE_OPTIONS } from "../connect.ts";
import { type Colors, type Io, jsonLine, line, note } from "../io.ts";
import { readData } from "../read-data.ts";
import { printable } from "../show-condition.ts";
import { shellWord } from "../shell-word.ts";
import { runStateWord } from "../show-run.ts";
import { timelineOf } from "../timeline/timeline.ts";
import { RUN_ARGUMENT } from "./runs.ts";

export const runsCancel = defineCommand({
  name: "runs cancel",
  summary: "Cancel a run; its finished steps are rolled back, the last one first",
  args: [RUN_ARGUMENT],
  options: {
    "no-rollback": { type: "boolean", summary: "Leave what its steps did" },
    reason: { type: "string", value: "TEXT", summary: "Why: the flow and its journal get to know it" },
    ...NODE_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [{ line: 'millrace runs cancel o1 --reason "the customer called"', says: "it ends as soon as its steps are rolled back" }],
  async run({ args: [id = ""], options, io }) {
    const client = await connect(options, io);
    const { reason } = options;
    const run = await client.cancelRun(id, { rollback: !options["no-rollback"], ...(reason === undefined ? {} : { reason }) });
    ordered("cancelling", run, options.json, io);
  },
});

export const runsResume = defineCommand({
  name: "runs resume",
  summary: "Let a paused or stuck run go on",
  details: "The step that it stands at is tried again, unless --result says what it came to.",
  args: [RUN_ARGUMENT],
  options: {
    result: { type: "string", value: "JSON", summary: "The step is done by hand: this is its result (JSON, @file or -)" },
    release: { type: "string", value: "ID", summary: 'Go on by the code of this release, or of "live"' },
    ...NODE_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [
    { line: "millrace runs resume o1", says: "try the step again" },
    { line: `millrace runs resume o1 --result '{"paid":true}'`, says: "somebody did what the step could not" },
    { line: "millrace runs resume o1 --release live", says: "the code was mended: go on by the new one" },
  ],
  async run({ args: [id = ""], options, io }) {
    const result = await readData(options.result, "runs resume", io, "--result");
    const client = await connect(options, io);
    const { release } = options;
    const run = await client.resumeRun(id, {
      ...(result === undefined ? {} : { result }),
      ...(release === undefined ? {} : { release }),
    });
    ordered("resuming", run, options.json, io);
  },
});

export const runsSignal = defineCommand({
  name: "runs signal",
  summary: "End a wait of a run, the present or the next one of this name, by hand",
  args: [
    RUN_ARGUMENT,
    { name: "WAIT", summary: "The name of the wait", kind: "required" },
    { name: "DATA", summary: "What the flow gets as the event's data: JSON, @file, or - for standard input", kind: "optional" },
  ],
  options: { ...NODE_OPTIONS, ...JSON_OPTION },
  examples: [{ line: `millrace runs signal o1 arrived '{"parcel":"p1"}'`, says: "as if the event had come" }],
  async run({ args: [id = "", wait = "", given], options, io }) {
    const data = await readData(given, "runs signal", io);
    const client = await connect(options, io);
    // Asked before: the signal may have ended its wait by the time of the next question.
    const waits = options.json ? null : openWaits(await client.run(id));
    const run = await client.signalRun(id, { wait, ...(data === undefined ? {} : { data }) });
    ordered("signalled", run, options.json, io);
    if (waits !== null && run.endedMs === null && !waits.includes(wait)) note(io, keptWords(wait, waits, io.errColors));
  },
});

export const runsRerun = defineCommand({
  name: "runs rerun",
  summary: "Begin a new run with the input of an earlier one, on the live release",
  args: [RUN_ARGUMENT],
  options: { ...NODE_OPTIONS, ...JSON_OPTION },
  examples: [{ line: "millrace runs rerun o1", says: "everything once more" }],
  async run({ args: [id = ""], options, io }) {
    const client = await connect(options, io);
    showBegun(await client.rerun(id), options.json, io);
  },
});

export const runsFork = defineCommand({
  name: "runs fork",
  summary: "Begin a new run that keeps what an earlier one did before some step",
  args: [RUN_ARGUMENT],
  options: {
    from: { type: "string", value: "STEP", summary: "The first step that is done anew; with #N the Nth of its name" },
    release: { type: "string", value: "WHICH", choices: ["same", "live"], standard: "same", summary: "By which code" },
    ...NODE_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [{ line: "millrace runs fork o1 --from charge --release live", says: "what came before `charge` is not done twice" }],
  async run({ args: [id = ""], options, io }) {
    const { from, release } = options;
    if (from === undefined) throw new UsageError("runs fork needs --from: the first step that is done anew", "runs fork");
    const client = await connect(options, io);
    showBegun(await client.forkRun(id, { from, release }), options.json, io);
  },
});

function openWaits({ journal, run }: RunDetails): string[] {
  return timelineOf(journal, run.endedMs !== null)
    .filter(({ verb, state }) => verb === "wait" && state === "open")
    .map(({ name }) => name);
}

/** A signal may come before its wait, but a misspelt one would be kept for ever without a word. */
function keptWords(wait: string, waits: readonly string[], colors: Colors): string {
  const others = waits.map((name) => JSON.stringify(printable(name))).join(", ");
  const now = waits.length === 0 ? "the run waits for nothing now" : `the run waits for ${others} now`;
  return colors.yellow(`${now}: the signal is kept for a later wait "${printable(wait)}"${didYouMean(wait, waits)}`);
}

/** The order is on disk; what comes of it is seen by watching. */
function ordered(word: string, run: Run, json: boolean, io: Io): void {
  if (json) return jsonLine(io, run);
  const colors = io.outColors;
  const watch = run.endedMs === null ? colors.dim(`  millrace runs watch ${shellWord(run.id)} follows it`) : "";
  line(io, `${colors.green(word)} ${run.fn} ${run.id}, ${runStateWord(run.state, colors)}${watch}`);
}

function showBegun(begun: Begun, json: boolean, io: Io): void {
  if (json) return jsonLine(io, begun);
  line(io, `${io.outColors.green("begun")} ${begun.flow} ${begun.id} ${io.outColors.dim(`(seq ${begun.seq})`)}`);
}
