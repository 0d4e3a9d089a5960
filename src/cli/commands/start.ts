import { resolve } from "node:path";
import { defineCommand } from "../command.ts";
import { JSON_OPTION } from "../connect.ts";
import { jsonLine } from "../io.ts";
import { readSettings, SETTING_OPTIONS } from "../serve-options.ts";

export const start = defineCommand({
  name: "start",
  summary: "Serve an app",
  details: "Every option can be set by an environment variable as well: MILLRACE_PORT for --port. Ctrl-C ends gracefully.",
  args: [{ name: "DIR", summary: "The app (default: this folder)", kind: "optional" }],
  options: { ...SETTING_OPTIONS, ...JSON_OPTION },
  examples: [
    { line: "millrace start", says: "the app in this folder, at localhost:4800" },
    { line: "millrace start shop --port 8080 --data /var/lib/shop", says: "another app, port and data directory" },
  ],
  async run({ args: [given = "."], options, io }) {
    const startedMs = io.now();
    const appDirectory = resolve(io.cwd, given);
    const settings = readSettings("start", options, io);
    const { serve, showServing } = await import("../serving.ts");
    await serve({ appDirectory, settings }, io, async (node, interrupted) => {
      const { release } = await node.reload();
      const tookMs = io.now() - startedMs;
      if (options.json) {
        const functions = release.manifest.functions.map(({ name }) => name);
        jsonLine(io, { ...node.addresses, data: node.dataDirectory, release: release.id, functions, tookMs });
      } else showServing(node, release, tookMs, io);
      await interrupted;
    });
  },
});
