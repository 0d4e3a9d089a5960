import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RealApp, realApp } from "./testing-support/real-app.ts";
import { httpCall } from "./testing-support/scripted-instance.ts";

const SOURCE = `
  import { fn } from "millrace";
  const builtin = (name: string): any => process.getBuiltinModule(name);
  const tries: Record<string, (url: URL) => unknown> = {
    "read a file": () => builtin("node:fs").readFileSync("/etc/passwd", "utf8"),
    "read the parent's environment": () => builtin("node:fs").readFileSync("/proc/" + process.ppid + "/environ", "utf8"),
    "read its own environment": () => builtin("node:fs").readFileSync("/proc/self/environ", "utf8"),
    "read the other instances": () => builtin("node:fs").readdirSync(".."),
    "write outside": (url) => builtin("node:fs").writeFileSync(url.searchParams.get("file"), "x"),
    "write into the bundle": () => builtin("node:fs").writeFileSync("bundle/app.mjs", "x"),
    "link out of tmp": () => builtin("node:fs").symlinkSync("/etc/passwd", "tmp/link"),
    "open a database": (url) => builtin("node:sqlite").DatabaseSync(url.searchParams.get("file")),
    "start a process": () => builtin("node:child_process").execFileSync("/bin/echo", ["hi"]).toString(),
    "start a worker": () => new (builtin("node:worker_threads").Worker)("1", { eval: true }) && "started",
    "load an addon": () => process.dlopen({ exports: {} } as any, "/tmp/none.node"),
    "call C": () => builtin("node:ffi")?.dlopen("libc.so.6", {}) ?? (() => { throw new Error("no ffi"); })(),
    "open an inspector": () => builtin("node:inspector").open(0),
    "signal the node": () => process.kill(process.ppid, 0),
    "signal the group": () => process.kill(0, 0),
    "connect": (url) => new Promise((resolve, reject) => {
      const socket = builtin("node:net").connect(Number(url.searchParams.get("port")), "127.0.0.1");
      socket.on("connect", () => { socket.destroy(); resolve("connected"); });
      socket.on("error", reject);
    }),
    "write to tmp": () => { builtin("node:fs").writeFileSync("tmp/note", "x"); return builtin("node:fs").readFileSync("tmp/note", "utf8"); },
    "see variables": () => JSON.stringify(process.env),
  };
  const make = () => fn({ on: "x" as any }, async (request: any) => {
    const url = new URL(request.url);
    try { return "done: " + await tries[decodeURIComponent(url.pathname.slice(1))]!(url); }
    catch (error: any) { return "refused: " + (error.code ?? error.message); }
  });
  export const plain = make();
  export const offline = make();
  export const granted = make();
`;

describe("the walls around an instance", () => {
  let app: RealApp;
  const attempt = async (fn: string, what: string, query = ""): Promise<string> => {
    const head = { method: "GET", url: `http://localhost/${encodeURIComponent(what)}${query}`, headers: [], params: {} };
    const outcome = await app.pool.call(httpCall(fn, { head }));
    if (outcome.kind !== "returned") return `${outcome.kind}: ${outcome.error.message}`;
    return Buffer.from(outcome.response?.body as Uint8Array).toString();
  };

  beforeAll(async () => {
    process.env["SECRET_OF_THE_NODE"] = "do not tell";
    app = await realApp(SOURCE, { plain: {}, offline: { network: false }, granted: { allow: ["child_process", "worker"] } });
  });
  afterAll(async () => {
    delete process.env["SECRET_OF_THE_NODE"];
    await app.close();
  });

  it.each([
    "read a file",
    "read the parent's environment",
    "read its own environment",
    "read the other instances",
    "write outside",
    "write into the bundle",
    "link out of tmp",
    "open a database",
    "start a process",
    "start a worker",
    "load an addon",
    "call C",
    "open an inspector",
    "signal the node",
    "signal the group",
  ])("W1: it cannot %s", async (what) => {
    const file = join(app.directory, "written");
    expect(await attempt("plain", what, `?file=${encodeURIComponent(file)}`)).toMatch(/^refused: /);
    expect(existsSync(file)).toBe(false);
  });

  it("W2: it writes to its tmp, and sees the app's variables only", async () => {
    expect(await attempt("plain", "write to tmp")).toBe("done: x");
    const { TMPDIR, ...variables } = JSON.parse((await attempt("plain", "see variables")).slice(6)) as Record<string, string>;
    expect(variables).toEqual({ GREETING: "hello" });
    expect(TMPDIR).toMatch(/\/instances\/\d+\/tmp$/);
  });

  it("W3: a grant opens its own door and no other", async () => {
    expect(await attempt("granted", "start a process")).toBe("done: hi\n");
    expect(await attempt("granted", "start a worker")).toBe("done: started");
    expect(await attempt("granted", "read a file")).toMatch(/^refused: /);
  });

  it.runIf(process.allowedNodeEnvironmentFlags.has("--allow-net"))("W4: the network is there unless the function gave it up", async () => {
    const server = createServer((socket) => socket.end()).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    const query = `?port=${typeof address === "object" ? address?.port : ""}`;
    expect(await attempt("plain", "connect", query)).toBe("done: connected");
    expect(await attempt("offline", "connect", query)).toBe("refused: ERR_ACCESS_DENIED");
    server.close();
  });

  it("W5: a granted function's folder holds copies: the release cannot be changed through it", async () => {
    await attempt("granted", "write to tmp");
    const inodes = new Set(
      readdirSync(join(app.directory, "instances"))
        .map((name) => join(app.directory, "instances", name, "bundle", "app.mjs"))
        .filter(existsSync),
    );
    expect(inodes.size).toBeGreaterThan(0);
    for (const file of inodes) expect(readFileSync(file, "utf8")).toBe(readFileSync(join(app.release.directory, "app.mjs"), "utf8"));
  });
});

describe("nobody survives the node", () => {
  const NODE = `
    import { InstancePool } from ${JSON.stringify(new URL("./instance-pool.ts", import.meta.url).href)};
    import { eventCall, functionManifest, releaseOf } from ${JSON.stringify(new URL("./testing-support/scripted-instance.ts", import.meta.url).href)};
    const [data, release, blocking] = process.argv.slice(2);
    const pool = new InstancePool({ dataDirectory: data, runtimeFile: data + "/runtime.cjs" });
    await pool.start();
    pool.use(releaseOf(release, [functionManifest("idle"), functionManifest("block")]));
    await pool.call(eventCall("idle"));
    if (blocking === "block") await new Promise((resolve) => void pool.call(eventCall("block", { timeoutMs: 600_000, log: resolve })));
    console.log("up");
  `;
  const APP = `
    import { fn } from "millrace";
    export const idle = fn({ on: "x" as any }, async () => {});
    export const block = fn({ on: "x" as any }, async (_: any, ctx: any) => {
      ctx.log.info("about to block");
      // The line leaves at the end of this turn; the loop is blocked in the next.
      await new Promise((next) => setImmediate(() => setImmediate(next)));
      for (;;);
    });
  `;

  async function killedNode(app: RealApp, blocking: string): Promise<number[]> {
    const file = join(app.directory, "node.mts");
    writeFileSync(file, NODE);
    const node = spawn(process.execPath, ["--no-warnings", file, app.directory, app.release.directory, blocking], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => node.stdout.once("data", resolve));
    const instances = instancesOf(app.directory);
    expect(instances.length).toBeGreaterThan(0);
    const gone = new Promise((resolve) => node.once("exit", resolve));
    node.kill("SIGKILL");
    await gone;
    return instances;
  }

  it("D1: after SIGKILL of the node its instances end by themselves", async () => {
    const app = await realApp(APP, {});
    await app.pool.stop();
    const instances = await killedNode(app, "no");
    await expect.poll(() => instances.filter(isAlive)).toEqual([]);
    await app.close();
  });

  it("D2: one whose loop is blocked is ended by the kernel or by the next start, which removes its folder", async () => {
    const app = await realApp(APP, {});
    await app.pool.stop();
    await killedNode(app, "block");
    expect(readdirSync(join(app.directory, "instances"))).not.toEqual([]);
    // Where the kernel can be asked to, it has ended it already.
    if (existsSync("/usr/bin/setpriv")) await expect.poll(() => instancesOf(app.directory)).toEqual([]);
    const again = await realApp(APP, {}, { dataDirectory: app.directory });
    await expect.poll(() => instancesOf(app.directory)).toEqual([]);
    expect(readdirSync(join(app.directory, "instances"))).toEqual([]);
    await again.close();
    await app.close();
  });
});

function instancesOf(directory: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => commandLine(pid).includes(`--allow-fs-write=${directory}/instances/`));
}

function isAlive(pid: number): boolean {
  return commandLine(pid) !== "";
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
