import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { NodeProcess } from "../test/process/node-process.ts";
import { type BenchOptions, median, print, round } from "./report.ts";

const APP = join(import.meta.dirname, "app");
const CONNECTIONS = 64;

/**
 * Hello through gateway and sandbox against bare `node:http`, in turns, 64 keep-alive connections, wrk (Debian's package) on the same
 * two cores. Not measured: bodies, functions that touch the store.
 */
export async function http(options: BenchOptions): Promise<void> {
  const seconds = options.seconds ?? 8;
  const node = await NodeProcess.start(APP);
  const bare = await startBare();
  try {
    const ratios: number[] = [];
    await wrk(`${node.gateway}/hello`, 3);
    await wrk(bare.url, 3);
    for (let run = 0; run < (options.runs ?? 5); run++) {
      const ours = await wrk(`${node.gateway}/hello`, seconds);
      const theirs = await wrk(bare.url, seconds);
      ratios.push(ours.perSecond / theirs.perSecond);
      print({
        measure: "hello, requests/s",
        run,
        millrace: ours.perSecond,
        p99Ms: ours.p99Ms,
        bareNodeHttp: theirs.perSecond,
        bareP99Ms: theirs.p99Ms,
        ratio: round(ours.perSecond / theirs.perSecond),
      });
    }
    print({ measure: "hello, millrace / bare node:http", medianRatio: round(median(ratios)) });
  } finally {
    bare.child.kill();
    await node.stop();
  }
}

async function wrk(url: string, seconds: number): Promise<{ perSecond: number; p99Ms: number }> {
  const { stdout } = await promisify(execFile)("wrk", ["-t1", `-c${CONNECTIONS}`, `-d${seconds}s`, "--latency", url]).catch(
    (error: unknown) => {
      throw new Error("this benchmark needs wrk: apt-get install wrk", { cause: error });
    },
  );
  if (/Non-2xx/.test(stdout)) throw new Error(`not all answers were 2xx:\n${stdout}`);
  const [, p99 = "0", unit = "ms"] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
  const scale = unit === "us" ? 0.001 : unit === "s" ? 1000 : 1;
  return { perSecond: Math.round(Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? 0)), p99Ms: round(Number(p99) * scale) };
}

const BARE = `
  const server = require("node:http").createServer((request, response) => {
    response.writeHead(200, { "content-type": "text/plain;charset=utf-8", "content-length": 5 });
    response.end("hello");
  });
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
`;

async function startBare(): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, ["-e", BARE], { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = (await once(child.stdout, "data")) as [Buffer];
  return { child, url: `http://127.0.0.1:${port.toString().trim()}/` };
}
