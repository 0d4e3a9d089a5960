import { parseArgs } from "node:util";
import { verify, programsOf } from "./drive.ts";
import { shrink } from "./shrink.ts";

/** `npm run verify -- --seed S --programs N --kills K`: prints a JSON line, and of each difference what is needed to find it again. */
const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    programs: { type: "string", default: "1000" },
    kills: { type: "string", default: "20" },
    only: { type: "string" },
    "no-shrink": { type: "boolean", default: false },
  },
});

const tell = (line: string): unknown => process.stdout.write(`${line}\n`);
const warn = (line: string): unknown => process.stderr.write(`${line}\n`);

const seed = Number(values.seed);
const count = Number(values.programs);
const kills = Number(values.kills);
if (![seed, count, kills].every((value) => Number.isSafeInteger(value) && value >= 0)) {
  warn("verify: --seed, --programs and --kills are whole numbers");
  process.exit(2);
}
const all = programsOf(seed, count);
const given = values.only === undefined ? all : all.filter(({ id }) => values.only?.split(",").includes(id));
/** To a person's terminal, and to a log now and then. */
const TOLD_EVERY = process.stderr.isTTY ? 10 : 1000;
const onProgress = ({ begun, kills: killed }: { begun: number; kills: number }): void => {
  if (begun % TOLD_EVERY !== 0) return;
  const line = `${begun} of ${given.length} programs begun, ${killed} of ${kills} kills`;
  process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
};

const { differences, journals, ...told } = await verify({ seed, programs: count, kills, given, onProgress });
if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
tell(JSON.stringify({ verify: "flows", ...told, faults: differences.length }));
if (differences.length > 0) {
  for (const { program, rule, text } of differences.slice(0, 20)) warn(`${rule} ${program ?? ""}: ${text}`);
  for (const line of journals) warn(line);
  warn(`again: npm run verify -- --seed ${seed} --programs ${count} --kills ${kills}`);
  if (!values["no-shrink"]) {
    const smallest = await shrink(given, differences, { seed, kills });
    warn(
      smallest === null ? "alone, or with fewer kills, it did not happen again" : `the smallest that fails: ${JSON.stringify(smallest)}`,
    );
  }
  process.exitCode = 1;
}
