/** `npm run bench -- NAME [--option value]`: each benchmark prints JSON lines; RESULTS.md keeps them. */
import { parseArgs } from "node:util";
import { cold } from "./cold.ts";
import { density } from "./density.ts";
import { events } from "./events.ts";
import { flows } from "./flows.ts";
import { http } from "./http.ts";
import { printFacts } from "./report.ts";
import { router } from "./router.ts";
import { sleepers } from "./sleepers.ts";
import { surge } from "./surge.ts";

const BENCHMARKS = { events, http, cold, router, surge, density, flows, sleepers };

/** Where it is not that of a node. */
const DURABILITY: Readonly<Record<string, string>> = { router: "nothing is stored", flows: "each contender's stands beside its name" };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string" },
    runs: { type: "string" },
    backlog: { type: "string" },
    only: { type: "string", multiple: true },
  },
});
const name = positionals[0] ?? "";
if (!Object.hasOwn(BENCHMARKS, name)) {
  console.error(`bench: name one of ${Object.keys(BENCHMARKS).join(", ")}`);
  process.exit(2);
}
const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
printFacts(name, DURABILITY[name] ?? "SQLite, WAL, synchronous=FULL");
await BENCHMARKS[name as keyof typeof BENCHMARKS]({
  seconds: number(values.seconds),
  runs: number(values.runs),
  backlog: number(values.backlog),
  only: values.only,
});
