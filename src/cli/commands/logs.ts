import { LOG_LEVELS } from "../../core/log-level.ts";
import { defineCommand } from "../command.ts";
import { connect, JSON_OPTION, NODE_OPTIONS } from "../connect.ts";
import { showLogs } from "../show-logs.ts";

export const logs = defineCommand({
  name: "logs",
  summary: "Show what functions logged",
  args: [],
  options: {
    follow: { type: "boolean", short: "f", summary: "Go on with the lines that come, until Ctrl-C" },
    function: { type: "string", value: "NAME", summary: "Of this function only" },
    invocation: { type: "string", value: "ID", summary: "Of this invocation only" },
    level: { type: "string", value: "LEVEL", choices: LOG_LEVELS, summary: "This level and those above" },
    limit: { type: "integer", value: "N", min: 1, max: 1000, standard: 100, summary: "So many lines to begin with" },
    ...NODE_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [
    { line: "millrace logs -f", says: "everything, as it comes" },
    { line: "millrace logs --function reserve --level warn", says: "what went wrong in one function" },
  ],
  async run({ options, io }) {
    const client = await connect(options, io);
    const { function: fn, invocation, level, limit } = options;
    const query = {
      ...(fn === undefined ? {} : { fn }),
      ...(invocation === undefined ? {} : { invocation }),
      ...(level === undefined ? {} : { level }),
      limit,
    };
    await showLogs(client, query, options, io, "No function has logged anything that fits.");
  },
});
