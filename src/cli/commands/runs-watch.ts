import type { RunProgress } from "../../control/client/index.ts";
import { defineCommand } from "../command.ts";
import { connect, JSON_OPTION, NODE_OPTIONS } from "../connect.ts";
import { followRun } from "../follow-run.ts";
import { untilInterrupted } from "../interrupt.ts";
import { jsonLine, line, note } from "../io.ts";
import { RUN_ARGUMENT } from "./runs.ts";

export const runsWatch = defineCommand({
  name: "runs watch",
  summary: "Follow a run to its end",
  details: "Maps are shown by progress bars on a terminal. The exit code is 1 when the run fails or is cancelled; Ctrl-C leaves it alone.",
  args: [RUN_ARGUMENT],
  options: { ...NODE_OPTIONS, ...JSON_OPTION },
  examples: [
    { line: "millrace runs watch o1", says: "a line for all that it does" },
    { line: "millrace runs watch o1 --json | jq .maps", says: "what is new, a document a line" },
  ],
  async run({ args: [id = ""], options, io }) {
    const client = await connect(options, io);
    const interrupted = untilInterrupted(io);
    try {
      const each = options.json ? { each: (progress: RunProgress) => jsonLine(io, progress) } : {};
      const run = await followRun(client, id, { say: (text) => line(io, text), ...each, signal: interrupted.signal }, io);
      if (run !== null && run.endedMs !== null) return run.state === "done" ? 0 : 1;
      if (interrupted.signal.aborted) return 0;
      note(io, "The node stopped; the run goes on when it is back.");
      return 1;
    } finally {
      interrupted.release();
    }
  },
});
