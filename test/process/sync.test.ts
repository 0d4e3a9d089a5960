import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { NodeProcess } from "./node-process.ts";
import { checkSyncs } from "./sync-check.ts";
import { parseTrace } from "./syscall-trace.ts";
import { canTrace, STRACE_MISSING } from "./write-faults.ts";

/**
 * SIGKILL leaves the page cache as it is, so the kills cannot show that what is acknowledged is on the disk itself. The order of the system
 * calls can.
 */
const APP = join(import.meta.dirname, "sync-app");
const TRACED = "trace=read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,pwrite64,pwritev,fsync,fdatasync";
const CONNECTIONS = 6;
const REQUESTS = 60;

describe("P1: an acknowledgement leaves after the sync of what it acknowledges", () => {
  it("events and a function's answer, under load", { timeout: 90_000 }, async (ctx) => {
    ctx.skip(!canTrace(), STRACE_MISSING);
    const directory = mkdtempSync(join(tmpdir(), "millrace-sync-"));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const file = join(directory, "trace");
    // -D: the node stays our child, and strace is not killed with it. A page has 4096 bytes.
    const strace = ["strace", "-D", "-f", "--seccomp-bpf", "-yy", "-s", "8192", "-o", file, "-e", TRACED, "-e", "signal=none", "-qq"];
    const node = await NodeProcess.start(APP, { through: strace, data: join(directory, "data") });
    const acknowledged = (await Promise.all(Array.from({ length: CONNECTIONS }, (_, n) => client(node.port, n)))).flat();
    await node.stop();

    const calls = parseTrace(readFileSync(file, "utf8"));
    const report = checkSyncs(calls);
    process.stdout.write(`syncs: ${acknowledged.length} acknowledged, ${report.syncs} syncs, ${calls.length} system calls\n`);
    expect(report.faults.slice(0, 10)).toEqual([]);
    expect([...report.acknowledged].sort()).toEqual(acknowledged.sort());
    expect(report.syncs).toBeGreaterThan(20);

    // The same trace without its syncs is found wanting, every acknowledgement of it.
    const unsynced = checkSyncs(calls.filter(({ name }) => name !== "fsync" && name !== "fdatasync"));
    expect(unsynced.faults).toHaveLength(acknowledged.length);
  });
});

/** One connection, one request at a time; resolves with the markers whose requests were answered with 202. */
async function client(port: number, n: number): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const acknowledged: string[] = [];
  let next = n * 1000;
  const marker = (): string => `mk${String(next++).padStart(6, "0")}`;
  for (let i = 0; i < REQUESTS; i++) {
    const markers = i % 3 === 0 ? [marker(), marker(), marker()] : [marker()];
    const [path, type, body] = requestOf(markers, i);
    const status = await post(agent, { port, path, type }, body);
    if (status !== 202) throw new Error(`${path} answered ${status}`);
    acknowledged.push(...markers);
  }
  agent.destroy();
  return acknowledged;
}

function requestOf(markers: readonly string[], i: number): [path: string, type: string, body: string] {
  const events = markers.map((id) => ({ specversion: "1.0", id, source: "/sync", type: "sync.event" }));
  if (i % 3 === 0) return ["/_/events", "application/cloudevents-batch+json", JSON.stringify(events)];
  if (i % 3 === 1) return ["/_/events", "application/cloudevents+json", JSON.stringify(events[0])];
  // The marker is in the value alone: the key, and so the path, must not tell it.
  return [`/note/${Number(markers[0]?.slice(2))}x`, "text/plain", markers[0] ?? ""];
}

function post(agent: Agent, to: { port: number; path: string; type: string }, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": to.type, "content-length": Buffer.byteLength(body) };
    const sent = request({ agent, host: "127.0.0.1", port: to.port, path: to.path, method: "POST", headers }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
      answer.on("error", reject);
    });
    sent.on("error", reject).end(body);
  });
}
