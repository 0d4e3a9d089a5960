import { defineCommand } from "../command.ts";
import { JSON_OPTION } from "../connect.ts";
import { jsonLine, line } from "../io.ts";
import { packageVersion } from "../version.ts";

export const version = defineCommand({
  name: "version",
  summary: "Print the version",
  args: [],
  options: JSON_OPTION,
  examples: [{ line: "millrace version --json", says: "with the versions of Node.js and the platform" }],
  async run({ options, io }) {
    const own = packageVersion();
    if (options.json) jsonLine(io, { millrace: own, node: process.versions.node, platform: `${process.platform}-${process.arch}` });
    else line(io, own);
  },
});
