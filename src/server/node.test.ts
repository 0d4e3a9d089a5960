import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { NODE_FILE } from "../control/client/index.ts";
import { MillraceError, systemClock, VirtualClock } from "../core/index.ts";
import { temporaryApp, writeApp } from "../releases/testing-support/temporary-app.ts";
import { createNode, type MillraceNode, type NodeOptions } from "./node.ts";
import { resolveSettings, type SettingName } from "./settings.ts";

const started: MillraceNode[] = [];

afterEach(async () => {
  for (const node of started.splice(0)) await node.stop().catch(() => {});
});

function hello(text: string, schedule = "5m"): string {
  return `
    import { every, fn, http } from "millrace";
    export const hello = fn({ on: http.get("/hello") }, () => "${text}");
    export const tick = fn({ on: every("${schedule}") }, () => {});
  `;
}

async function dataDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "millrace-node-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function nodeOf(
  appDirectory: string,
  flags: Partial<Record<SettingName, string>> & { data: string },
  more: Partial<NodeOptions> = {},
): Promise<MillraceNode> {
  const settings = resolveSettings({ port: "0", controlPort: "0", ...flags }, {});
  const node = await createNode({ appDirectory, settings, durability: "off", clock: new VirtualClock(), ...more });
  started.push(node);
  return node;
}

async function portInUse(): Promise<string> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return String((server.address() as AddressInfo).port);
}

async function get(node: MillraceNode, path: string): Promise<string> {
  const response = await fetch(new URL(path, node.addresses.gateway));
  return `${response.status} ${await response.text()}`;
}

describe("a node that starts", () => {
  it("opens its doors, says where they are, serves once the app is loaded, and takes all of it back at the end", async () => {
    const app = await temporaryApp({ "functions/app.ts": hello("one") });
    const data = await dataDirectory();
    const node = await nodeOf(app, { data });
    await node.start();
    expect(JSON.parse(await readFile(join(data, NODE_FILE), "utf8"))).toEqual({ ...node.addresses, pid: process.pid });
    expect(await get(node, "/hello")).toMatch(/^503 /);
    await node.reload();
    expect(await get(node, "/hello")).toBe("200 one");
    await Promise.all([node.stop(), node.stop()]);
    await node.stop();
    await expect(stat(join(data, NODE_FILE))).rejects.toMatchObject({ code: "ENOENT" });
    await expect(fetch(node.addresses.gateway)).rejects.toThrow("fetch failed");
  });

  it.each(["port", "controlPort"] as const)(
    "gives everything back when its %s is taken: the next start on the directory works",
    async (door) => {
      const app = await temporaryApp({ "functions/app.ts": hello("one") });
      const data = await dataDirectory();
      const taken = await portInUse();
      const failing = await nodeOf(app, { data, [door]: taken });
      await expect(failing.start()).rejects.toMatchObject({ code: "port_in_use" });
      await expect(stat(join(data, NODE_FILE))).rejects.toMatchObject({ code: "ENOENT" });
      const node = await nodeOf(app, { data });
      await node.start();
      await node.reload();
      expect(await get(node, "/hello")).toBe("200 one");
    },
  );

  it("refuses a directory that another node holds", async () => {
    const data = await dataDirectory();
    await nodeOf(data, { data });
    await expect(nodeOf(data, { data })).rejects.toMatchObject({ code: "data_locked" });
  });

  it("lets go of the directory even when a part of it does not stop well, and says what that was", async () => {
    const app = await temporaryApp({ "functions/app.ts": hello("one") });
    const data = await dataDirectory();
    const node = await nodeOf(app, { data });
    await node.start();
    node.delivery.stop = () => Promise.reject(new Error("stuck"));
    await expect(node.stop()).rejects.toThrow("stuck");
    const next = await nodeOf(app, { data });
    await next.start();
  });
});

describe("a hostile function", () => {
  it("C3: finds the control door, but not what it asks for: a token", async () => {
    const app = await temporaryApp({
      "functions/app.ts": `
        import { fn, http } from "millrace";
        const fs = process.getBuiltinModule("node:fs");
        const read = (path: string): string => { try { return fs.readFileSync(path, "utf8"); } catch (error: any) { return error.code; } };
        export const knock = fn({ on: http.get("/knock") }, async (request) => {
          const asked = new URL(request.url).searchParams;
          const token = read(asked.get("data") + "/control-token");
          const { status } = await fetch(asked.get("door") + "/v1/functions", { headers: { authorization: "Bearer " + token } });
          return status + " " + token;
        });
      `,
    });
    const data = await dataDirectory();
    const node = await nodeOf(app, { data });
    await node.start();
    await node.reload();
    expect((await stat(join(data, "control-token"))).size).toBeGreaterThan(0);
    const asked = new URLSearchParams({ data, door: node.addresses.control });
    expect(await get(node, `/knock?${asked.toString()}`)).toBe("200 401 ERR_ACCESS_DENIED");
  });
});

describe("a reload", () => {
  it("that does not compile leaves what there was", async () => {
    const app = await temporaryApp({ "functions/app.ts": hello("one") });
    const node = await nodeOf(app, { data: await dataDirectory() });
    await node.start();
    await node.reload();
    const before = node.liveRelease?.id;
    await writeApp(app, { "functions/app.ts": "export const broken = ;" });
    await expect(node.reload()).rejects.toMatchObject({ code: "compile_failed" });
    expect(await get(node, "/hello")).toBe("200 one");
    expect(node.liveRelease?.id).toBe(before);
    await writeApp(app, { "functions/app.ts": hello("two") });
    await node.reload();
    expect(await get(node, "/hello")).toBe("200 two");
  });

  it("that cannot finish goes back whole: routes, functions and schedules", async () => {
    const app = await temporaryApp({ "functions/app.ts": hello("one") });
    const node = await nodeOf(app, { data: await dataDirectory() });
    await node.start();
    await node.reload();
    const timers = await node.store.timers("schedule");
    const real = node.store.timers.bind(node.store);
    // The schedules are read once for the new release, and once more for the way back.
    node.store.timers = () => Promise.reject(new MillraceError("disk_full", "no space left"));
    await writeApp(app, { "functions/app.ts": `${hello("two", "1m")}\nexport const more = fn({ on: http.get("/more") }, () => "more");` });
    await expect(node.reload()).rejects.toMatchObject({ code: "disk_full" });
    node.store.timers = real;
    expect(await get(node, "/hello")).toBe("200 one");
    expect(await get(node, "/more")).toMatch(/^404 /);
    expect(await node.store.timers("schedule")).toEqual(timers);
    await node.reload();
    expect(await get(node, "/more")).toBe("200 more");
    expect(await node.store.timers("schedule")).not.toEqual(timers);
  });

  it("waits for the one before it, so that the last one asked for is the one that serves", async () => {
    const app = await temporaryApp({ "functions/app.ts": hello("one") });
    const node = await nodeOf(app, { data: await dataDirectory() });
    await node.start();
    const first = node.reload();
    const real = node.store.timers.bind(node.store);
    const gate = Promise.withResolvers<void>();
    // The first one is held up when it has loaded already.
    node.store.timers = async (kind) => {
      node.store.timers = real;
      await writeApp(app, { "functions/app.ts": hello("two") });
      const second = node.reload();
      void second.then(() => gate.resolve(), gate.reject);
      return real(kind);
    };
    await first;
    await gate.promise;
    expect(await get(node, "/hello")).toBe("200 two");
  });

  it("during a stop is refused", async () => {
    const app = await temporaryApp({ "functions/app.ts": hello("one") });
    const node = await nodeOf(app, { data: await dataDirectory() });
    await node.start();
    const reload = node.reload().catch((error: unknown) => error);
    await node.stop();
    expect(await reload).toBeInstanceOf(MillraceError);
  });
});

describe("over the memory budget", () => {
  const HOG = `
    import { event, fn, http } from "millrace";
    export const hog = fn({ on: http.get("/hog") }, (_request, ctx) => {
      console.log("begun");
      return new Promise((resolve) => ctx.signal.addEventListener("abort", () => resolve("left")));
    });
    export const asked = fn({ on: http.get("/asked") }, () => "answered");
    export const woken = fn({ on: event("order.placed") }, () => {});
  `;

  it("Q2, S7: HTTP callers get 503 with Retry-After after a bounded wait, events wait in the store and lose nothing", async () => {
    const app = await temporaryApp({ "functions/app.ts": HOG });
    const begun = Promise.withResolvers<void>();
    const onLog: NodeOptions["onLog"] = ({ text }) => (text.includes("begun") ? begun.resolve() : undefined);
    const node = await nodeOf(app, { data: await dataDirectory(), memory: "128mb" }, { waitMs: 300, clock: systemClock, onLog });
    await node.start();
    await node.reload();
    const client = new AbortController();
    // On a slow machine its own instance may not stand in time either.
    const hog = async (): Promise<void> => {
      while ((await fetch(`${node.addresses.gateway}/hog`, { signal: client.signal })).status === 503);
    };
    const hogging = hog().catch(() => {});
    await begun.promise;
    const answer = await fetch(`${node.addresses.gateway}/asked`);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await answer.json()).toMatchObject({ error: { code: "overloaded", message: expect.stringContaining("within 300 ms") } });
    const emitted = await fetch(`${node.addresses.gateway}/_/events`, {
      method: "POST",
      headers: { "content-type": "application/cloudevents+json" },
      body: JSON.stringify({ specversion: "1.0", id: "o-1", source: "/test", type: "order.placed" }),
    });
    expect(emitted.status).toBe(202);
    expect(node.delivery.stats()).toMatchObject({ waiting: 1, dead: 0 });
    client.abort();
    await hogging;
    await node.delivery.settled();
    expect(node.delivery.stats()).toMatchObject({ waiting: 0, dead: 0 });
  });
});
