import { defineCommand } from "../command.ts";
import { connect, JSON_OPTION, NODE_OPTIONS } from "../connect.ts";
import { jsonLine, line, note } from "../io.ts";
import { showColdStarts, showStartFailure } from "../show-cold-start.ts";
import { showKind, showWaking } from "../show-function.ts";
import { table } from "../table.ts";

export const functions = defineCommand({
  name: "functions",
  summary: "List the functions, what wakes them, and what waits for them",
  args: [],
  options: { ...NODE_OPTIONS, ...JSON_OPTION },
  examples: [
    { line: "millrace functions", says: "all of the node in this folder" },
    { line: "millrace functions --json | jq .name", says: "one JSON document a function" },
  ],
  async run({ options, io }) {
    const client = await connect(options, io);
    const all = await client.functions();
    if (options.json) {
      for (const each of all) jsonLine(io, each);
      return;
    }
    if (all.length === 0) return note(io, "There are no functions.");
    const colors = io.outColors;
    const rows = all.map(({ name, exists, triggers, waiting, running, parked, dead, instances, coldStarts, options }) => [
      exists ? colors.bold(name) : colors.red(name),
      showKind(options, colors),
      exists ? showWaking(triggers, options) : colors.red("no longer exists"),
      String(waiting),
      String(running),
      String(parked),
      dead === 0 ? "0" : colors.red(String(dead)),
      String(instances),
      showColdStarts(coldStarts),
      colors.dim(options?.file ?? ""),
    ]);
    const head = ["FUNCTION", "KIND", "WOKEN BY", "WAITING", "RUNNING", "PARKED", "DEAD", "INSTANCES", "COLD STARTS", "FILE"].map(
      colors.dim,
    );
    line(io, table({ head, rows, right: new Set([3, 4, 5, 6, 7, 8]), columns: io.columns }));
    for (const { name, startFailure } of all) {
      if (startFailure !== null) note(io, io.errColors.red(showStartFailure(name, startFailure, io.now())));
    }
  },
});
