import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { round } from "../report.ts";

export interface Load {
  readonly connections: number;
  readonly seconds: number;
}

export interface Served {
  readonly perSecond: number;
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Keep-alive connections that ask again as soon as they are answered, by wrk (Debian's package). */
export async function wrk(url: string, load: Load): Promise<Served> {
  const args = ["-t1", `-c${load.connections}`, `-d${load.seconds}s`, "--timeout", "10s", "--latency", url];
  const { stdout } = await promisify(execFile)("wrk", args).catch((error: unknown) => {
    throw new Error("this benchmark needs wrk: apt-get install wrk", { cause: error });
  });
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`not all answers were 2xx:\n${stdout}`);
  return {
    perSecond: Math.round(Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? 0)),
    requests: Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0),
    p50Ms: quantileMs(stdout, 50),
    p99Ms: quantileMs(stdout, 99),
  };
}

function quantileMs(printed: string, percent: number): number {
  const [, value = "0", unit = "ms"] = new RegExp(`${percent}%\\s+([\\d.]+)(us|ms|s)`).exec(printed) ?? [];
  return round(Number(value) * (unit === "us" ? 0.001 : unit === "s" ? 1000 : 1));
}
