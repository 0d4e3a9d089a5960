import type { DeadSelection } from "../../control/client/index.ts";
import { defineCommand, type Options, UsageError } from "../command.ts";
import { connect, JSON_OPTION, NODE_OPTIONS } from "../connect.ts";
import { type Io, jsonLine, line, note } from "../io.ts";
import { ProgressLine } from "../progress-line.ts";
import { showAttempts } from "../show-delivery.ts";
import { table } from "../table.ts";
import { ago } from "../times.ts";

const FILTER = {
  function: { type: "string", value: "NAME", summary: "Of this function only" },
  type: { type: "string", value: "TYPE", summary: "Of events of exactly this type" },
} as const satisfies Options;

const SELECTION = { ...FILTER, all: { type: "boolean", summary: "All dead letters" } } as const satisfies Options;

const SEQS = [{ name: "SEQ", summary: "Dead letters by their seq", kind: "any-number" }] as const;

export const deadList = defineCommand({
  name: "dead list",
  summary: "List dead letters: deliveries that were given up",
  args: [],
  options: {
    ...FILTER,
    after: { type: "integer", value: "SEQ", min: 0, max: Number.MAX_SAFE_INTEGER, summary: "Behind this one, to page on" },
    limit: { type: "integer", value: "N", min: 1, max: 1000, standard: 50, summary: "So many" },
    ...NODE_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [{ line: "millrace dead list --function reserve", says: "what one function could not do" }],
  async run({ options, io }) {
    const client = await connect(options, io);
    const { function: fn, type, after, limit } = options;
    const { dead, next } = await client.dead({
      ...(fn === undefined ? {} : { fn }),
      ...(type === undefined ? {} : { type }),
      ...(after === undefined ? {} : { after }),
      limit,
    });
    if (options.json) {
      for (const each of dead) jsonLine(io, each);
      return;
    }
    if (dead.length === 0) return note(io, "There are no dead letters.");
    const colors = io.outColors;
    const head = ["SEQ", "DIED", "FUNCTION", "EVENT", "ATTEMPTS", "ERROR"].map(colors.dim);
    const rows = dead.map(({ seq, settledMs, fn, eventType, errors, state }) => {
      const last = errors.at(-1);
      const held = state === "held" ? colors.yellow("holds its key: ") : "";
      return [
        String(seq),
        settledMs === null ? "" : ago(settledMs, io.now()),
        colors.bold(fn),
        eventType,
        String(errors.length),
        held + colors.red(firstLine(last?.message ?? "")),
      ];
    });
    line(io, table({ head, rows, right: new Set([0, 4]), columns: io.columns }));
    if (next !== null) note(io, colors.dim(`There may be more: millrace dead list --after ${next}`));
  },
});

export const deadShow = defineCommand({
  name: "dead show",
  summary: "Show one dead letter: its event, and every attempt's error and stack",
  args: [{ name: "SEQ", summary: "The dead letter", kind: "required" }],
  options: { ...NODE_OPTIONS, ...JSON_OPTION },
  examples: [{ line: "millrace dead show 43", says: "why this delivery was given up" }],
  async run({ args, options, io }) {
    const [seq = 0] = readSeqs(args, "dead show");
    const client = await connect(options, io);
    const dead = await client.deadLetter(seq);
    if (options.json) return jsonLine(io, dead);
    const colors = io.outColors;
    line(io, `${colors.bold(dead.fn)} gave up ${dead.eventType}${dead.key === null ? "" : colors.dim(`  key ${dead.key}`)}`);
    if (dead.state === "held") line(io, colors.yellow("  Its key waits until it is redriven or purged."));
    line(io, JSON.stringify(dead.cloudEvent, null, 2).replace(/^/gm, "  "));
    line(io, colors.bold("Attempts"));
    for (const attempt of showAttempts(dead, io.now(), colors)) line(io, attempt);
  },
});

export const deadRedrive = defineCommand({
  name: "dead redrive",
  summary: "Make dead letters ready again, with all their attempts",
  details: "Name them by seq, by filter, or take --all. Those that die again meanwhile are not taken up twice.",
  args: SEQS,
  options: { ...SELECTION, ...NODE_OPTIONS, ...JSON_OPTION },
  examples: [
    { line: "millrace dead redrive 43", says: "one" },
    { line: "millrace dead redrive --function reserve", says: "all of one function" },
  ],
  async run({ args, options, io }) {
    const selection = select(args, options, "dead redrive");
    const client = await connect(options, io);
    const progress = new ProgressLine("redriven", io);
    let count = 0;
    for await (const step of client.redrive(selection)) {
      count = step.redriven;
      if (options.json) jsonLine(io, step);
      else progress.show(count, step.remaining);
    }
    return conclude(selection, count, "redriven", options.json, progress, io);
  },
});

export const deadPurge = defineCommand({
  name: "dead purge",
  summary: "Delete dead letters for good",
  details: "Name them by seq, by filter, or take --all. More than those you name by seq are asked about first, unless --yes.",
  args: SEQS,
  options: { ...SELECTION, yes: { type: "boolean", short: "y", summary: "Do not ask" }, ...NODE_OPTIONS, ...JSON_OPTION },
  examples: [
    { line: "millrace dead purge 43 44", says: "two of them" },
    { line: "millrace dead purge --all --yes", says: "all, without being asked" },
  ],
  async run({ args, options, io }) {
    const selection = select(args, options, "dead purge");
    if (!("seqs" in selection) && !options.yes && !(await confirmed(selection, io))) {
      note(io, "Nothing was purged.");
      return 1;
    }
    const client = await connect(options, io);
    const progress = new ProgressLine("purged", io);
    let count = 0;
    for await (const step of client.purge(selection)) {
      count = step.purged;
      if (options.json) jsonLine(io, step);
      else progress.show(count, step.remaining);
    }
    return conclude(selection, count, "purged", options.json, progress, io);
  },
});

interface SelectionOptions {
  readonly function: string | undefined;
  readonly type: string | undefined;
  readonly all: boolean;
}

function select(args: readonly string[], { function: fn, type, all }: SelectionOptions, command: string): DeadSelection {
  const filtered = fn !== undefined || type !== undefined;
  if ([args.length > 0, filtered, all].filter(Boolean).length !== 1) {
    throw new UsageError(`${command} wants seqs, or --function and --type, or --all: one of these`, command);
  }
  if (args.length > 0) return { seqs: readSeqs(args, command) };
  if (all) return { all: true };
  if (fn === undefined) return { type: type ?? "" };
  return type === undefined ? { fn } : { fn, type };
}

function readSeqs(args: readonly string[], command: string): number[] {
  return args.map((arg) => {
    if (/^\d{1,15}$/.test(arg)) return Number(arg);
    throw new UsageError(`SEQ is a number, not "${arg}"`, command);
  });
}

async function confirmed(selection: DeadSelection, io: Io): Promise<boolean> {
  const which = "all" in selection ? "ALL dead letters" : "all dead letters that fit";
  const answer = await io.ask(`Delete ${which} for good? [y/N] `);
  if (answer === null) throw new UsageError("there is nobody to ask: say --yes to purge more than single dead letters", "dead purge");
  return /^y(es)?$/i.test(answer.trim());
}

function conclude(selection: DeadSelection, count: number, word: string, json: boolean, progress: ProgressLine, io: Io): number {
  progress.end();
  if (!json) line(io, `${count} ${word}`);
  // Whoever names one wants it to be there; of a filter there may be none.
  const wanted = "seqs" in selection ? new Set(selection.seqs).size : 0;
  if (count >= wanted) return 0;
  note(io, `not a dead letter: ${wanted - count} of those named`);
  return 1;
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
