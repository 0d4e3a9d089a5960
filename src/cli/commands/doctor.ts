import { resolve } from "node:path";
import { defineCommand } from "../command.ts";
import { DATA_FOLDER, JSON_OPTION } from "../connect.ts";
import { examine, type Finding } from "../examine.ts";
import { type Colors, jsonLine, line } from "../io.ts";

export const doctor = defineCommand({
  name: "doctor",
  summary: "Check this machine, the data directory and the app",
  details: "Each line is ok, a warning or a failure with what to do. The exit code is 1 when something fails.",
  args: [{ name: "DIR", summary: "The app (default: this folder)", kind: "optional" }],
  options: {
    port: {
      type: "integer",
      value: "N",
      min: 1,
      max: 65_535,
      standard: 4800,
      summary: "Port of the gateway; the control door is one above",
    },
    data: { type: "string", value: "DIR", summary: "Data directory (default: .millrace in the app)" },
    ...JSON_OPTION,
  },
  examples: [
    { line: "millrace doctor", says: "is everything there to serve the app in this folder?" },
    { line: "millrace doctor --json | jq 'select(.state != \"ok\")'", says: "only what is not well" },
  ],
  async run({ args: [given = "."], options, io }) {
    const app = resolve(io.cwd, given);
    const data = options.data === undefined ? resolve(app, DATA_FOLDER) : resolve(io.cwd, options.data);
    let failed = false;
    for await (const finding of examine({ app, data, port: options.port })) {
      failed ||= finding.state === "fail";
      if (options.json) jsonLine(io, finding);
      else line(io, show(finding, io.outColors));
    }
    return failed ? 1 : 0;
  },
});

function show({ state, check, says, cure }: Finding, colors: Colors): string {
  const marks = { ok: colors.green("ok  "), warn: colors.yellow("warn"), fail: colors.red("FAIL") };
  const text = `${marks[state]}  ${check.padEnd(12)}  ${says}`;
  return cure === null ? text : `${text}\n${" ".repeat(20)}→ ${cure}`;
}
