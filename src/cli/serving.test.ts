import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { COMMANDS } from "./commands/all.ts";
import { run } from "./run.ts";
import { ScriptedIo } from "./testing-support/scripted-io.ts";

let folder: string;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "millrace-serve-")));
  await millrace("init", ".");
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function ioHere(): ScriptedIo {
  const io = new ScriptedIo(folder);
  io.now = () => Date.now();
  return io;
}

async function millrace(...argv: string[]): Promise<{ code: number; io: ScriptedIo }> {
  const io = ioHere();
  return { code: await run(argv, COMMANDS, "9.9.9", io), io };
}

interface Running {
  readonly io: ScriptedIo;
  readonly ended: Promise<number>;
}

function begin(...argv: string[]): Running {
  const io = ioHere();
  return { io, ended: run(argv, COMMANDS, "9.9.9", io) };
}

async function end({ io, ended }: Running): Promise<number> {
  io.interrupt();
  return await ended;
}

function greet(gateway: string, name: string): Promise<Response> {
  return fetch(`${gateway}/hello`, { method: "POST", body: JSON.stringify({ name }) });
}

function gatewayOf(io: ScriptedIo): string {
  return /gateway {2}(\S+)/.exec(io.stdout)?.[1] ?? "";
}

describe("start", () => {
  it("serves until Ctrl-C, and the other commands find it", async () => {
    const node = begin("start", "--port", "0", "--json");
    await node.io.printed("tookMs");
    const [started] = node.io.json as { gateway: string; functions: string[] }[];
    expect(started?.functions).toEqual(["count", "hello"]);
    expect(await (await greet(started?.gateway ?? "", "Ada")).json()).toEqual({ hello: "Ada" });

    const invoked = await millrace("invoke", "count", '{"name":"Bob"}', "--json");
    expect(invoked.io.json).toMatchObject([{ outcome: "done", logs: [{ fn: "count", text: "greeted Bob, time 1" }] }]);
    expect((await millrace("emit", "person.greeted", '{"name":"Cy"}', "--after", "1h", "--json")).io.json).toMatchObject([{ seq: 0 }]);
    const listed = await millrace("events", "--type", "person.greeted", "--json");
    expect(listed.io.json).toContainEqual(expect.objectContaining({ cloudEvent: expect.objectContaining({ data: { name: "Ada" } }) }));
    expect((await millrace("functions")).io.stdout).toContain("POST /hello");

    expect(await end(node)).toBe(0);
    expect((await millrace("functions")).io.stderr).toContain("code: unreachable");
  });

  it("refuses a data directory that another node has, and a port that is taken", async () => {
    const node = begin("start", "--port", "0");
    await node.io.printed("ready");
    const second = await millrace("start", "--port", "0");
    expect([second.code, second.io.stderr]).toEqual([1, expect.stringContaining("code: data_locked")]);
    const { port } = new URL(gatewayOf(node.io));
    const third = await millrace("start", "--port", port, "--control-port", "0", "--data", "other");
    expect([third.code, third.io.stderr]).toEqual([1, expect.stringContaining("code: port_in_use")]);
    expect(await end(node)).toBe(0);
  });

  it("refuses an app that does not load, a setting that is wrong, and an open door", async () => {
    expect((await millrace("start", "--port", "x")).io.stderr).toContain("--port: ");
    expect((await millrace("start", "--port", "0", "--host", "0.0.0.0")).io.stderr).toContain("code: open_door");
    expect((await millrace("start", "--port", "0", "--control-host", "0.0.0.0")).io.stderr).toContain("code: open_door");
    await writeFile(join(folder, "functions", "broken.ts"), "export const = 3");
    const { code, io } = await millrace("start", "--port", "0");
    expect([code, io.stderr]).toEqual([1, expect.stringContaining("functions/broken.ts:1:14")]);
    expect((await millrace("start", "nowhere", "--port", "0")).io.stderr).toContain("code: app_not_found");
  });
});

describe("dev", () => {
  it("reloads what changes, and keeps serving while it does not load", async () => {
    const node = begin("dev", "--port", "0");
    await node.io.printed("ready in");
    const gateway = gatewayOf(node.io);
    await greet(gateway, "Ada");
    await node.io.printed("INFO  count  greeted Ada, time 1");

    const file = join(folder, "functions", "hello.ts");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace("hello: name", "hello: ,,"));
    await node.io.printed("the last good version goes on serving");
    expect(node.io.stderr).toContain("functions/hello.ts:14:");
    expect(await (await greet(gateway, "Ada")).json()).toEqual({ hello: "Ada" });

    await writeFile(file, text.replace("hello: name", "hi: name"));
    await node.io.printed("reloaded in");
    expect(await (await greet(gateway, "Ada")).json()).toEqual({ hi: "Ada" });
    expect(await end(node)).toBe(0);
  });

  it("waits for an app that does not load yet", async () => {
    const file = join(folder, "functions", "hello.ts");
    const text = await readFile(file, "utf8");
    await writeFile(file, "export const = 3");
    const node = begin("dev", "--port", "0");
    await node.io.printed("waiting for an app that loads");
    await writeFile(file, text);
    await node.io.printed("reloaded in");
    expect(node.io.stdout).toContain("hello  POST /hello");
    expect(await end(node)).toBe(0);
  });

  it("ends at once at the second Ctrl-C", async () => {
    const node = begin("dev", "--port", "0");
    await node.io.printed("ready in");
    node.io.interrupt();
    node.io.interrupt();
    expect(node.io.exits).toEqual([130]);
    expect(await node.ended).toBe(0);
  });
});
