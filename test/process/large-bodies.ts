import { request } from "node:http";
import { readFileSync } from "node:fs";
import type { NodeProcess } from "./node-process.ts";

export interface Moved {
  readonly bytes: number;
  readonly seconds: number;
  /** How far the highest resident memory of all its life lies above what the process had before. */
  readonly nodeBytes: number;
  readonly instanceBytes: number;
}

const PIECE = Buffer.alloc(256 * 1024, 0x61);

/** Sends this many bytes to the bodies app, at the pace of its function. */
export function upload(node: NodeProcess, bytes: number): Promise<Moved> {
  return measured(node, "/upload", async () => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const call = request({
      host: "127.0.0.1",
      port: node.port,
      method: "PUT",
      path: "/upload",
      agent: false,
      headers: { "content-length": bytes },
    });
    call.on("error", reject);
    call.on("response", (answer) => {
      let text = "";
      answer.on("data", (piece: Buffer) => (text += piece.toString()));
      answer.on("end", () => resolve(text));
    });
    for (let left = bytes; left > 0; left -= PIECE.length) {
      if (call.write(PIECE.subarray(0, Math.min(left, PIECE.length)))) continue;
      await new Promise<void>((drained) => {
        call.once("drain", drained);
      });
    }
    call.end();
    return (JSON.parse(await promise) as { bytes: number }).bytes;
  });
}

/** Reads this many bytes from the bodies app. */
export function download(node: NodeProcess, bytes: number): Promise<Moved> {
  return measured(node, `/download/${bytes}`, async (path) => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const call = request({ host: "127.0.0.1", port: node.port, path, agent: false }, (answer) => {
      let received = 0;
      answer.on("data", (piece: Buffer) => (received += piece.length));
      answer.on("end", () => resolve(received));
      answer.on("error", reject);
    });
    call.on("error", reject);
    call.end();
    return promise;
  });
}

async function measured(node: NodeProcess, path: string, move: (path: string) => Promise<number>): Promise<Moved> {
  const before = new Map([node.pid, ...node.instancePids()].map((pid) => [pid, statusBytes(pid, "VmRSS")]));
  const startMs = performance.now();
  const bytes = await move(path);
  const seconds = (performance.now() - startMs) / 1000;
  const rise = (pid: number): number => statusBytes(pid, "VmHWM") - (before.get(pid) ?? 0);
  return { bytes, seconds, nodeBytes: rise(node.pid), instanceBytes: Math.max(...node.instancePids().map(rise)) };
}

function statusBytes(pid: number, field: "VmRSS" | "VmHWM"): number {
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
}
