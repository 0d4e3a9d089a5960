import { parseArgs } from "node:util";
import { killInstances, killNodes, seedFrom, told } from "./driver.ts";

/** The process test at length: `npm run verify:kills -- --kills 500 --seed 7 --what instances`. */
const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "500" },
    seed: { type: "string" },
    what: { type: "string", default: "nodes" },
    senders: { type: "string", default: "4" },
    "pause-ms": { type: "string", default: "100" },
  },
});

const runs = { nodes: killNodes, instances: killInstances };
if (!Object.hasOwn(runs, values.what)) throw new Error(`--what is nodes or instances, not ${values.what}`);
const run = runs[values.what as keyof typeof runs];
const report = await run({
  seed: seedFrom(values.seed),
  kills: Number(values.kills),
  senders: Number(values.senders),
  pauseMs: Number(values["pause-ms"]),
});
told(`${values.what} killed`, report);
for (const fault of report.faults) process.stdout.write(`  ${fault}\n`);
process.exitCode = report.faults.length === 0 ? 0 : 1;
