import { defineCommand } from "../command.ts";
import { connect, JSON_OPTION, NODE_OPTIONS } from "../connect.ts";
import { jsonLine, line } from "../io.ts";
import { readData } from "../read-data.ts";
import { ago } from "../times.ts";

export const emit = defineCommand({
  name: "emit",
  summary: "Emit an event; done when it is on disk",
  args: [
    { name: "TYPE", summary: "The event's type, such as order.placed", kind: "required" },
    { name: "DATA", summary: "Its data: JSON, @file, or - for standard input", kind: "optional" },
  ],
  options: {
    key: { type: "string", value: "KEY", summary: "Events with one key are handled in order" },
    subject: { type: "string", value: "TEXT", summary: "What the event is about" },
    source: { type: "string", value: "URI", summary: "Where it comes from (default: /millrace/control)" },
    id: { type: "string", value: "ID", summary: "Its id; a repetition within a day is accepted and wakes nobody" },
    after: { type: "string", value: "DURATION", summary: 'Let it happen later, such as "10m"' },
    at: { type: "string", value: "TIME", summary: "Let it happen then (RFC 3339)" },
    ...NODE_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [
    {
      line: `millrace emit order.placed '{"id":"o1","sku":"lamp"}' --key lamp`,
      says: "an event with data, in order with others of this key",
    },
    { line: "millrace emit report.wanted @report.json --after 1h", says: "data from a file, in an hour" },
    { line: "curl -s https://example.com/data.json | millrace emit data.arrived -", says: "data from standard input" },
  ],
  async run({ args: [type = "", given], options, io }) {
    const data = await readData(given, "emit", io);
    const { key, subject, source, id, after, at } = options;
    const optional = Object.fromEntries(
      Object.entries({ data, key, subject, source, id, after, at }).filter(([, value]) => value !== undefined),
    );
    const client = await connect(options, io);
    const accepted = await client.emit({ type, ...optional });
    if (options.json) return jsonLine(io, accepted);
    const colors = io.outColors;
    if (accepted.duplicate)
      return line(io, `${colors.yellow("known already")} ${type} ${accepted.id}: it was accepted before, and wakes nobody again`);
    if (accepted.dueMs !== null)
      return line(io, `${colors.green("accepted")} ${type} ${accepted.id}: it happens ${ago(accepted.dueMs, io.now())}`);
    line(io, `${colors.green("accepted")} ${type} ${accepted.id} ${colors.dim(`(seq ${accepted.seq})`)}`);
  },
});
