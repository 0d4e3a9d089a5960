import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { quiet } from "./inspect.ts";
import { freePort, type NodeOptions, NodeProcess, pause } from "./node-process.ts";

const APP = join(import.meta.dirname, "bad-app");

/** How a start fails: the exit code and what was said. */
async function refusedStart(options: NodeOptions): Promise<{ code: number | null; said: string }> {
  const node = await NodeProcess.launch(APP, options);
  const { code } = await node.exited;
  return { code, said: node.output };
}

describe("a node that cannot start says why and ends with 1", () => {
  it.each(["gateway", "control"])("the port of the %s is in use", async (door) => {
    const port = await freePort();
    const taken = door === "gateway" ? port : port + 1;
    const other = createServer().listen(taken, "127.0.0.1");
    await once(other, "listening");
    const { code, said } = await refusedStart({ port });
    other.close();
    expect(said).toContain("code: port_in_use");
    expect(said).toContain(String(taken));
    expect(code).toBe(1);
  });

  it("the data directory is another node's, which goes on", async () => {
    const node = await NodeProcess.start(APP);
    onTestFinished(() => node.stop());
    const { code, said } = await refusedStart({ data: node.data });
    expect(said).toContain("code: data_locked");
    expect(said).toContain(String(node.pid));
    expect(code).toBe(1);
    expect((await fetch(`${node.gateway}/beside`)).status).toBe(200);
  });

  it("the data directory cannot be written", async () => {
    const directory = mkdtempSync(join(tmpdir(), "millrace-bad-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, "file"), "");
    // Under a file there is no directory, not even for root.
    const { code, said } = await refusedStart({ data: join(directory, "file", "data") });
    expect(said).toContain("code: data_unwritable");
    expect(code).toBe(1);
  });
});

describe("a handler that misbehaves fails its own call; those beside it go on", () => {
  let node: NodeProcess;
  beforeAll(async () => {
    node = await NodeProcess.start(APP);
  }, 30_000);
  afterAll(() => node.stop());

  it.each([
    ["never returns", "/hangs", 504, "function_timeout"],
    ["blocks its event loop", "/blocks", 504, "function_timeout"],
    ["exits the process", "/exits", 502, "function_crashed"],
    ["allocates without end", "/hoards", 502, "function_out_of_memory"],
  ])("one that %s", async (_what, path, status, code) => {
    const ended = new AbortController();
    const bad = fetch(node.gateway + path).then(async (answer) => {
      ended.abort();
      return { status: answer.status, text: await answer.text() };
    });
    const beside: number[] = [];
    do {
      beside.push((await fetch(`${node.gateway}/beside`)).status);
    } while (!ended.signal.aborted);
    expect(await bad).toEqual({ status, text: expect.stringContaining(`"code":"${code}"`) });
    expect(new Set(beside)).toEqual(new Set([200]));
    expect(node.running).toBe(true);
  });

  it("one that exits takes no attempt from the calls that run in its instance", async () => {
    const events = Array.from({ length: 24 }, (_, n) => ({
      specversion: "1.0",
      id: `m${n}`,
      source: "/bad",
      type: "bad.mixed",
      data: { what: n % 8 === 3 ? "exit" : "well" },
    }));
    const headers = { "content-type": "application/cloudevents-batch+json" };
    expect((await fetch(`${node.gateway}/_/events`, { method: "POST", headers, body: JSON.stringify(events) })).status).toBe(202);
    await quiet(node);
    const entries = (await (await fetch(`${node.gateway}/report`)).json()) as { key: string; value: number }[];
    const well = events.filter(({ data }) => data.what === "well").map(({ id }) => [`mixed/${id}`, 1]);
    expect(Object.fromEntries(entries.map(({ key, value }) => [key, value]))).toEqual(Object.fromEntries(well));
    const { dead } = (await node.controlJson("/v1/dead?fn=mixed")) as { dead: { cloudEvent: { id: string } }[] };
    expect(dead.map(({ cloudEvent }) => cloudEvent.id).sort()).toEqual(["m11", "m19", "m3"]);
  });
});

describe("the end of a node", () => {
  it("SIGTERM: a call in flight is finished, then the node ends with 0 and its instances with it", async () => {
    const node = await NodeProcess.start(APP);
    onTestFinished(() => node.stop());
    const call = fetch(`${node.gateway}/slow?ms=1200`);
    await until(async () => (await callsOf(node)) === 1);
    const instances = node.instancePids();
    process.kill(node.pid, "SIGTERM");
    expect(await (await call).text()).toBe("done");
    expect(await node.exited).toEqual({ code: 0, signal: null });
    expect(instances.length).toBeGreaterThan(0);
    await until(() => instances.every(isGone));
  });

  it("SIGKILL leaves no instance behind, not even one that never yields", async () => {
    const node = await NodeProcess.start(APP);
    onTestFinished(() => node.stop());
    await fetch(`${node.gateway}/beside`);
    const calls = ["/slow?ms=60000", "/blocks"].map((path) => fetch(node.gateway + path).catch(() => null));
    await until(async () => (await callsOf(node)) === 2);
    const instances = node.instancePids();
    await node.kill();
    await Promise.all(calls);
    expect(instances.length).toBeGreaterThanOrEqual(3);
    await until(() => instances.every(isGone));
  });
});

async function until(holds: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const endMs = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > endMs) throw new Error(`it did not come to hold within ${limitMs} ms: ${holds.toString()}`);
    await pause(10);
  }
}

/** Calls that are in an instance now. */
async function callsOf(node: NodeProcess): Promise<number> {
  const { pool } = (await node.controlJson("/v1/stats")) as { pool: { running: number } };
  return pool.running;
}

/** A zombie has ended; who is to collect it is not our matter. */
function isGone(pid: number): boolean {
  if (!existsSync(`/proc/${pid}`)) return true;
  try {
    return /^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}
