import { resolve } from "node:path";
import { defineCommand, UsageError } from "../command.ts";
import { connect, JSON_OPTION, NODE_OPTIONS } from "../connect.ts";
import { jsonLine, line, note } from "../io.ts";
import { mark } from "../mark.ts";
import { printable } from "../show-condition.ts";
import { showMismatch } from "../show-standstill.ts";
import { table } from "../table.ts";

export const runsReleases = defineCommand({
  name: "runs releases",
  summary: "Show which releases live runs are on: those stay until the last of them has ended",
  args: [],
  options: { ...NODE_OPTIONS, ...JSON_OPTION },
  examples: [{ line: "millrace runs releases", says: "what old code is still needed, and for what" }],
  async run({ options, io }) {
    const client = await connect(options, io);
    const releases = await client.runReleases();
    if (options.json) {
      for (const each of releases) jsonLine(io, each);
      return;
    }
    if (releases.length === 0) return note(io, "There are no live runs.");
    const colors = io.outColors;
    const rows = releases.flatMap(({ release, live, present, flows }) =>
      flows.map(({ flow, runs }) => [
        release,
        colors.bold(flow),
        String(runs),
        live ? colors.green("live") : present ? "kept" : colors.red("gone: resume its runs with --release live"),
      ]),
    );
    line(io, table({ head: ["RELEASE", "FLOW", "RUNS", ""].map(colors.dim), rows, right: new Set([2]), columns: io.columns }));
  },
});

export const runsCheck = defineCommand({
  name: "runs check",
  summary: "Check that live runs can go on by other code: each journal is replayed against it, and nothing is begun",
  details: "The exit code is 1 when any run would break, so that it can stand before a deployment.",
  args: [],
  options: {
    release: { type: "string", value: "ID", summary: "Against this release (default: the live one)" },
    app: { type: "string", value: "DIR", summary: "Against the app in this folder, on the node's machine, as it is now" },
    flow: { type: "string", value: "NAME", summary: "Runs of this flow only" },
    ...NODE_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [
    { line: "millrace runs check --app .", says: "would what is in this folder break any run?" },
    { line: "millrace runs check --flow fulfil --json", says: "one JSON document a run" },
  ],
  async run({ options, io }) {
    const { release, app, flow } = options;
    if (release !== undefined && app !== undefined) throw new UsageError("runs check wants --release or --app, not both", "runs check");
    const against = app === undefined ? release : `app:${resolve(io.cwd, app)}`;
    const client = await connect(options, io);
    const colors = io.outColors;
    let count = 0;
    let broken = 0;
    for await (const check of client.checkRuns({
      ...(against === undefined ? {} : { release: against }),
      ...(flow === undefined ? {} : { flow }),
    })) {
      count++;
      if (!check.fits) broken++;
      if (options.json) {
        jsonLine(io, check);
        continue;
      }
      // Of a thousand runs those that fit are told by their number.
      if (check.fits) continue;
      line(
        io,
        `${mark(false, colors)} ${colors.bold(check.flow)} ${check.id}${check.error === null ? "" : `  ${colors.red(printable(check.error))}`}`,
      );
      if (check.mismatch !== null) for (const text of showMismatch(check.mismatch, io)) line(io, text);
    }
    if (!options.json) line(io, `${mark(broken === 0, colors)} ${count - broken} of ${count} live runs fit`);
    return broken === 0 ? 0 : 1;
  },
});
