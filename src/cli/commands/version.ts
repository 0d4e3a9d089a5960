import { defineCommand } from "../command.ts";
import { JSON_OPTION } from "../connect.ts";
import { jsonLine, line } from "../io.ts";
import { VERSION } from "../../server/version.ts";

export const version = defineCommand({
  name: "version",
  summary: "Print the version",
  args: [],
  options: JSON_OPTION,
  examples: [{ line: "millrace version --json", says: "with the versions of Node.js and the platform" }],
  async run({ options, io }) {
    if (options.json) jsonLine(io, { millrace: VERSION, node: process.versions.node, platform: `${process.platform}-${process.arch}` });
    else line(io, VERSION);
  },
});
