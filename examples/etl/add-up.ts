import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isAppThere } from "../driving/app-there.ts";
import { onLeave } from "../driving/on-leave.ts";
import { cliCommand, OwnNode } from "../driving/own-node.ts";
import { readCount } from "../driving/read-count.ts";
import { FileServer } from "./input/file-server.ts";
import { writeSales } from "./input/write-sales.ts";
import { judgeJob } from "./job/judge.ts";
import { TotalsClient } from "./job/totals-client.ts";

const HELP = `Writes a large CSV file, lets a flow add it up in parts, and compares.

  npm run example:etl -- --start            with a node of its own, which goes away afterwards
  npm run example:etl -- --start --kill     the same, and the node is killed twice in the middle
  npm run example:etl -- [options]          against a running "millrace start examples/etl"

  --rows N         how many rows (1000000)
  --chunk-kib N    how large a part is (256)
  --url URL        where the app is (http://127.0.0.1:4800)
  --seed N         which rows (1)
  --json           the result as JSON

Exit codes: 0 every row was counted once, and every part done once; 1 something differs; 2 wrong options, or no app there.`;

const POLL_MS = 100;
/** When so much is done. */
const KILLS_AT = [0.3, 0.6];

interface Options {
  readonly start: boolean;
  readonly kill: boolean;
  readonly rows: number;
  readonly chunkBytes: number;
  readonly url: string;
  readonly seed: number;
  readonly json: boolean;
  readonly help: boolean;
}

async function main(): Promise<number> {
  const given = readOptions();
  if (given === null) return 2;
  if (given.help) {
    console.log(HELP);
    return 0;
  }
  if (!given.start) return (await isAppThere(given.url, "examples/etl")) ? addUpFile(given, given.url, null) : 2;
  await using node = await OwnNode.start(fileURLToPath(new URL(".", import.meta.url)));
  return await addUpFile(given, node.url, node);
}

async function addUpFile(options: Options, url: string, node: OwnNode | null): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-etl-"));
  const stays = onLeave(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const path = join(folder, "sales.csv");
    console.error(`Writing ${options.rows} rows …`);
    const written = await writeSales(path, options.rows, options.seed);
    await using files = await FileServer.start(path);

    const client = new TotalsClient(url);
    const startMs = performance.now();
    const { chunkBytes } = options;
    const run = await client.begin({ url: files.url, sizeBytes: written.sizeBytes, chunkBytes });
    const kills = options.kill ? KILLS_AT.map((share) => Math.ceil((share * written.sizeBytes) / chunkBytes)) : [];
    const { parts, sums } = await untilDone(client, run, node, kills);
    const seconds = Math.round((performance.now() - startMs) / 100) / 10;

    const differences = judgeJob({ written: written.sums, summed: sums, parts, counts: await client.counts(run) });
    const { rows } = options;
    const figures = { rows, sizeBytes: written.sizeBytes, parts, keys: Object.keys(sums).length, kills: kills.length, seconds };
    const report = { run, ...figures, rowsPerSecond: Math.round(rows / seconds), requests: files.requests, differences };
    console.log(options.json ? JSON.stringify(report, null, 2) : asTable(report));
    for (const difference of differences.slice(0, 20)) console.error(`DIFFERS: ${difference}`);
    if (differences.length > 0) return 1;
    console.error("Every row was counted once, and every part done once.");
    return 0;
  } finally {
    stays();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Kills when so many parts are done. `millrace runs watch` shows the progress, once again after each kill. */
async function untilDone(
  client: TotalsClient,
  run: string,
  node: OwnNode | null,
  kills: readonly number[],
): Promise<NonNullable<Awaited<ReturnType<TotalsClient["result"]>>>> {
  if (node === null) console.error(`npm run -s millrace -- runs watch ${run}   shows its progress`);
  let watching = node === null ? null : watch(node, run);
  let killed = 0;
  for (;;) {
    const result = await client.result(run);
    if (result !== null) {
      await watching?.over;
      return result;
    }
    const next = kills[killed];
    if (node !== null && next !== undefined && (await client.counts(run)).length >= next) {
      killed++;
      watching?.child.kill("SIGTERM");
      console.error(`The node is killed, for the ${killed === 1 ? "first" : "second"} time …`);
      await node.crash();
      watching = watch(node, run);
    }
    await sleep(POLL_MS);
  }
}

function watch(node: OwnNode, run: string): { readonly child: ChildProcess; readonly over: Promise<unknown> } {
  const [program, args] = cliCommand(["runs", "watch", run, "--data", node.data]);
  // Its words go where progress goes: what this script prints on stdout is the result.
  const child = spawn(program, args, { stdio: ["ignore", 2, 2] });
  return { child, over: new Promise((resolve) => child.once("exit", resolve)) };
}

function asTable(report: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(report).filter(([name]) => name !== "differences");
  return rows.map(([name, value]) => `${name.padEnd(15)}${String(value)}`).join("\n");
}

function readOptions(): Options | null {
  try {
    const { values } = parseArgs({
      options: {
        start: { type: "boolean", default: false },
        kill: { type: "boolean", default: false },
        rows: { type: "string", default: "1000000" },
        "chunk-kib": { type: "string", default: "256" },
        url: { type: "string", default: "http://127.0.0.1:4800" },
        seed: { type: "string", default: "1" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    const { start, kill, url, json, help } = values;
    if (kill && !start) throw new Error("--kill kills only a node of its own: say --start as well");
    const numbers = { rows: readCount("rows", values.rows), seed: readCount("seed", values.seed) };
    return { ...numbers, chunkBytes: readCount("chunk-kib", values["chunk-kib"]) * 1_024, start, kill, url, json, help };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return null;
  }
}

process.exitCode = await main();
