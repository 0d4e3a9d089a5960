import { LOG_LEVELS } from "../../core/log-level.ts";
import { defineCommand } from "../command.ts";
import { connect, JSON_OPTION, NODE_OPTIONS } from "../connect.ts";
import { untilInterrupted } from "../interrupt.ts";
import { jsonLine, line, note } from "../io.ts";
import { showLogLine } from "../show-log.ts";

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
    if (!options.follow) {
      const lines = await client.logs(query);
      if (lines.length === 0 && !options.json) return note(io, "No function has logged anything that fits.");
      for (const each of lines) {
        if (options.json) jsonLine(io, each);
        else line(io, showLogLine(each, io.outColors));
      }
      return;
    }
    const interrupted = untilInterrupted(io);
    try {
      for await (const each of client.followLogs(query, interrupted.signal)) {
        if (options.json) jsonLine(io, each);
        else if ("dropped" in each) note(io, io.errColors.yellow(`… ${each.dropped} lines were left out: this terminal did not keep up`));
        else line(io, showLogLine(each, io.outColors));
      }
    } finally {
      interrupted.release();
    }
  },
});
