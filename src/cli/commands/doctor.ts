import { resolve } from "node:path";
import { defineCommand } from "../command.ts";
import { JSON_OPTION } from "../connect.ts";
import type { Finding } from "../finding.ts";
import { type Colors, jsonLine, line } from "../io.ts";
import { readSettings, SETTING_OPTIONS } from "../serve-options.ts";

export const doctor = defineCommand({
  name: "doctor",
  summary: "Check this machine, the data directory and the app",
  details: "Each line is ok, a warning or a failure with what to do. The exit code is 1 when something fails.",
  args: [{ name: "DIR", summary: "The app (default: this folder)", kind: "optional" }],
  options: {
    host: SETTING_OPTIONS.host,
    port: SETTING_OPTIONS.port,
    "control-host": SETTING_OPTIONS["control-host"],
    "control-port": SETTING_OPTIONS["control-port"],
    data: SETTING_OPTIONS.data,
    ...JSON_OPTION,
  },
  examples: [
    { line: "millrace doctor", says: "is everything there to serve the app in this folder?" },
    { line: "millrace doctor --json | jq 'select(.state != \"ok\")'", says: "only what is not well" },
  ],
  async run({ args: [given = "."], options, io }) {
    const app = resolve(io.cwd, given);
    const { data, host, port, controlHost, controlPort } = readSettings("doctor", options, io);
    const doors = [
      { name: "gateway", host, port },
      { name: "control", host: controlHost, port: controlPort },
    ];
    const { examine } = await import("../examine.ts");
    let failed = false;
    for await (const finding of examine({ app, data, doors })) {
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
