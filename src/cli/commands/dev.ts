import { resolve } from "node:path";
import { defineCommand } from "../command.ts";
import { JSON_OPTION } from "../connect.ts";
import { readSettings, SETTING_OPTIONS } from "../serve-options.ts";

export const dev = defineCommand({
  name: "dev",
  summary: "Serve an app, and reload what changes",
  details: "While a changed file does not load, the last good version goes on serving. Log lines are shown as they come.",
  args: [{ name: "DIR", summary: "The app (default: this folder)", kind: "optional" }],
  options: { ...SETTING_OPTIONS, ...JSON_OPTION },
  examples: [
    { line: "millrace dev", says: "the app in this folder, at localhost:4800" },
    { line: "millrace dev shop --port 5000", says: "another app, another port" },
  ],
  async run({ args: [given = "."], options, io }) {
    const settings = readSettings("dev", options, io);
    const { develop } = await import("../dev-session.ts");
    const { asJson, spokenTo } = await import("../dev-voice.ts");
    await develop(resolve(io.cwd, given), settings, options.json ? asJson(io) : spokenTo(io), io);
  },
});
