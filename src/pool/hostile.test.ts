import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasMemoryGroups, raiseWall } from "./jail/index.ts";
import type { Outcome } from "./pool.ts";
import { type RealApp, realApp } from "./testing-support/real-app.ts";
import { httpCall } from "./testing-support/scripted-instance.ts";

/**
 * Functions that are out to harm, in real processes, behind each wall that this machine has. Each harms itself alone: another function
 * answers meanwhile and afterwards, and the node does not grow. What the permission model alone refuses is in walls.test.ts, what ends an
 * instance by mistake rather than on purpose in bad-functions.test.ts.
 */
const MIB = 2 ** 20;

const SOURCE = `
  import { fn } from "millrace";
  const fs = process.getBuiltinModule("node:fs");
  const builtin = (name: string): any => process.getBuiltinModule(name);
  const pause = (ms: number) => new Promise((next) => setTimeout(next, ms));
  const shell = (line: string): string => builtin("node:child_process").execFileSync("/bin/sh", ["-c", "( " + line + " ) 2>&1 || true"]).toString();
  const frame = (headBytes: number, bodyBytes: number, call: number, type: number, head = ""): Buffer => {
    const bytes = Buffer.alloc(16);
    bytes.writeUInt32LE(headBytes, 0); bytes.writeUInt32LE(bodyBytes, 4); bytes.writeUInt32LE(call, 8); bytes[12] = type;
    return Buffer.concat([bytes, Buffer.from(head)]);
  };
  const write = async (fd: number, bytes: Buffer) => {
    for (let from = 0; from < bytes.length; ) {
      try { from += fs.writeSync(fd, bytes, from); }
      catch (error: any) { if (error.code !== "EAGAIN") throw error; await pause(1); }
    }
  };
  const empty = (): void => fs.readdirSync("tmp").forEach((name) => fs.rmSync("tmp/" + name));
  // One for all: its memory must not be what ends those that fill a disk.
  const mebibyte = Buffer.alloc(1 << 20, 1);
  let calls = 0;
  const ways: Record<string, (asked: URLSearchParams) => unknown> = {
    "say": (asked) => asked.get("text"),
    "run": (asked) => shell(asked.get("line")!),
    "fill the heap": () => { const all: unknown[] = []; for (;;) all.push(new Array(1000).fill(all.length)); },
    "fill buffers at once": () => {
      const all: Buffer[] = [];
      try { for (;;) all.push(Buffer.alloc(1 << 20, 1)); }
      catch (error: any) { const held = all.length; all.length = 0; return error.name + " after " + held; }
    },
    "fill buffers and fail": () => { const all: Buffer[] = []; for (;;) all.push(Buffer.alloc(1 << 20, 1)); },
    "fill the disk": async () => {
      let bytes = 0;
      try { for (let file = 0; ; file++) for (let i = 0; i < 16; i++) { fs.appendFileSync("tmp/" + file, mebibyte); bytes += 1 << 20; await pause(1); } }
      catch (error: any) { empty(); return error.code + " after " + (bytes >> 20); }
    },
    "one endless file": () => {
      let bytes = 0;
      try { for (;;) { fs.appendFileSync("tmp/one", mebibyte); bytes += 1 << 20; } }
      catch (error: any) { empty(); return error.code + " after " + (bytes >> 20); }
    },
    "fill stdout": async () => { try { for (;;) await write(1, Buffer.alloc(60_000, 120)); } catch (error: any) { return error.code; } },
    "open everything": () => {
      const all: number[] = [];
      try { for (;;) all.push(fs.openSync("tmp", "r")); }
      catch (error: any) { for (const fd of all) fs.closeSync(fd); return error.code + " after " + all.length; }
    },
    "garbage": async () => { await write(3, Buffer.alloc(1 << 20, 255)); await pause(60_000); },
    "a head of 4 GB": async () => { await write(3, frame(0xffffffff, 0, 1, 36)); await pause(60_000); },
    "a body of 4 GB": async () => { await write(3, frame(2, 0xffffffff, 1, 39, "{}")); await pause(60_000); },
    "half a frame": async () => { await write(3, frame(0, 4 << 20, 1, 39)); await pause(60_000); },
    "a flood of logs": async () => { const line = frame(28, 60000, 0, 39, '{"level":"info","atMs":1    }'.slice(0, 28)); for (;;) await write(3, Buffer.concat([line, Buffer.alloc(60000, 120)])); },
    "answer a call that was never made": async () => { await write(3, frame(2, 0, 4_000_000, 36, "{}")); await pause(60_000); },
    "answer twice": async () => {
      const first = '{"status":200,"headers":[]}';
      await write(3, Buffer.concat([frame(first.length, 0, calls, 36, first), frame(first.length, 0, calls, 36, first)]));
      return "the third answer";
    },
    "never answer": () => new Promise(() => {}),
    "exit in mid-answer": () => new Response(new ReadableStream({
      async pull(c) { c.enqueue(new Uint8Array(1000)); await pause(20); (process as any).reallyExit(0); },
    })),
    "ignore signals": async () => {
      for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGXCPU"]) process.on(signal as any, () => {});
      for (;;);
    },
    "burn in threads": async () => {
      const { Worker } = builtin("node:worker_threads");
      for (let i = 0; i < 4; i++) new Worker("for (;;);", { eval: true });
      await pause(60_000);
    },
    "start without end": async () => { for (;;) { builtin("node:child_process").spawn("/bin/sleep", ["60"], { stdio: "ignore" }).on("error", () => {}); await pause(2); } },
    "print past the console": async () => {
      fs.writeSync(1, "from the descriptor\\n");
      builtin("node:child_process").execFileSync("/bin/sh", ["-c", "echo from a child; echo oh >&2"], { stdio: ["ignore", 1, 2] });
    },
  };
  const make = () => fn({ on: "x" as any }, async (request: any) => {
    calls++;
    const url = new URL(request.url);
    return ways[decodeURIComponent(url.pathname.slice(1))]!(url.searchParams);
  });
  export const fine = make();
  export const hostile = make();
  export const granted = make();
  export const offline = make();
`;

const TINY = { memoryBytes: 64 * MIB };

const { name: strongest } = await raiseWall();
// Where there is no jail the tests of it are skipped, and named as such; `millrace doctor` says why there is none.
const behind = [
  ["permission", true],
  ["jail", strongest === "jail"],
] as const;

describe.each(behind)("hostile functions behind the wall: %s", (wall, stands) => {
  const jailed = wall === "jail";
  let app: RealApp;
  let rssBefore: number;

  beforeAll(async () => {
    if (!stands) return;
    app = await realApp(
      SOURCE,
      {
        fine: {},
        hostile: TINY,
        granted: { ...TINY, allow: ["child_process", "worker"] },
        offline: { ...TINY, allow: ["child_process"], network: false },
      },
      { wall },
    );
    await call("fine", "say", { text: "up" });
    rssBefore = process.memoryUsage.rss();
  });
  afterAll(async () => {
    if (!stands) return;
    // 64 MiB of output, floods of frames, lengths of 4 GB: nothing of it stays.
    expect(process.memoryUsage.rss() - rssBefore).toBeLessThan(256 * MIB);
    await app.close();
  });

  function call(fn: string, way: string, asked: Record<string, string> = {}, over: Parameters<typeof httpCall>[1] = {}): Promise<Outcome> {
    const url = `http://localhost/${encodeURIComponent(way)}?${new URLSearchParams(asked).toString()}`;
    return app.pool.call(httpCall(fn, { head: { method: "GET", url, headers: [], params: {} }, timeoutMs: 20_000, ...over }));
  }

  /** What became of the hostile call; another function must answer while it runs, and after it. */
  async function harm(
    fn: string,
    way: string,
    asked: Record<string, string> = {},
    over: Parameters<typeof httpCall>[1] = {},
  ): Promise<string> {
    const bad = call(fn, way, asked, over);
    expect(says(await call("fine", "say", { text: "meanwhile" }))).toBe("meanwhile");
    const said = says(await bad);
    expect(says(await call("fine", "say", { text: "afterwards" }))).toBe("afterwards");
    return said;
  }

  describe.runIf(stands)("memory, disk, descriptors, processor", () => {
    it("B3: fills the heap", async () => {
      expect(await harm("hostile", "fill the heap")).toMatch(/^crashed: OutOfMemory: .*64 MiB/);
    });

    it("W7: fills buffers in a loop that gives nobody time to look: the kernel stops it within 192 MiB, if nobody did before", async () => {
      const said = await harm("hostile", "fill buffers at once");
      // V8 itself may be who asks for the byte too many.
      if (/^crashed: OutOfMemory: .*the kernel gave it no more/.test(said)) return;
      expect(said).toMatch(/^RangeError after \d+$|^crashed: OutOfMemory: .*it used \d+ MiB/);
      const [, held, used] = /after (\d+)$|it used (\d+)/.exec(said) ?? [];
      expect(Number(held ?? used)).toBeGreaterThan(64);
      expect(Number(held ?? used)).toBeLessThanOrEqual(held === undefined ? 256 : 192);
    });

    it("W7: is told of the limit when it fails so", async () => {
      expect(await harm("hostile", "fill buffers and fail")).toMatch(
        /(RangeError|OutOfMemory): .*64 MiB of memory.*raise the function's `memory`/,
      );
    });

    // The kernel's limit of a process's data cannot hold whoever may start threads; its control group does.
    it.runIf(hasMemoryGroups())("W10: with leave to start threads and processes it is ended by its control group", async () => {
      expect(await harm("granted", "fill buffers and fail")).toMatch(/^crashed: OutOfMemory: .*64 MiB of memory/);
    });

    it("W7: fills its tmp with files", async () => {
      const said = await harm("hostile", "fill the disk");
      if (jailed) expect(said).toMatch(/^ENOSPC after 6[0-4]$/);
      else expect(said).toMatch(/^crashed: TmpFull: .*64 MiB/);
    });

    it("W7: fills its tmp with one file", async () => {
      expect(await harm("hostile", "one endless file")).toMatch(jailed ? /^(ENOSPC|EFBIG) after 6\d$/ : /^EFBIG after 64$/);
    });

    it("W7: opens files until there are no more descriptors", async () => {
      const said = await harm("hostile", "open everything");
      expect(said).toMatch(/^EMFILE after \d+$/);
      const opened = said.slice("EMFILE after ".length);
      expect(Number(opened)).toBeGreaterThan(3000);
      expect(Number(opened)).toBeLessThan(4096);
    });

    it("B7: burns in threads: processor time is limited besides wall time", async () => {
      const said = await harm("granted", "burn in threads", {}, { timeoutMs: 6000 });
      // With one core to themselves threads use no more than time passes, and wall time ends them.
      expect(said).toMatch(/^crashed: CpuExceeded: |^timeout: /);
    });

    it("W7: starts processes without end", async () => {
      expect(await harm("granted", "start without end")).toMatch(/^crashed: (TooManyProcesses|OutOfMemory): /);
    });
  });

  describe.runIf(stands)("output", () => {
    it("O3: fills stdout: it is read, then closed, and never blocks", async () => {
      expect(await harm("hostile", "fill stdout")).toMatch(/^(EPIPE|ECONNRESET)$/);
    });

    it("O1: what native code and children print are lines of the call", async () => {
      const lines: string[] = [];
      const log = (level: string, text: string): unknown => lines.push(`${level} ${text}`);
      // It may meet the instance that the test before has ended.
      await expect
        .poll(async () => (await call("granted", "print past the console", {}, { log })).kind, { timeout: 20_000 })
        .toBe("returned");
      await expect
        .poll(() => lines, { timeout: 20_000 })
        .toEqual(expect.arrayContaining(["info from the descriptor", "info from a child", "error oh"]));
    });
  });

  describe.runIf(stands)("the frames", () => {
    it.each(["garbage", "a head of 4 GB", "a body of 4 GB", "answer a call that was never made"])("B4: %s", async (way) => {
      expect(await harm("hostile", way)).toMatch(/^crashed: ProtocolError: /);
    });

    it("B4: half a frame, and no more: its time passes, nobody else's", async () => {
      expect(await harm("hostile", "half a frame", {}, { timeoutMs: 300 })).toMatch(/^timeout: /);
    });

    it("B4: a flood of frames lasts as long as its call may", async () => {
      expect(await harm("hostile", "a flood of logs", {}, { timeoutMs: 500 })).toMatch(/^(timeout|crashed): /);
    });

    it("F5: answers twice: the first counts", async () => {
      expect(await harm("hostile", "answer twice")).toBe("");
      expect(says(await call("hostile", "say", { text: "next" }))).toBe("next");
    });

    it("T3: never answers", async () => {
      expect(await harm("hostile", "never answer", {}, { timeoutMs: 200 })).toMatch(/^timeout: /);
    });

    it("B2: exits in mid-answer: the reader hears of it", async () => {
      const outcome = await call("hostile", "exit in mid-answer");
      if (outcome.kind !== "returned" || outcome.response === null || outcome.response.body instanceof Uint8Array)
        throw new Error("no stream");
      const { body } = outcome.response;
      const read = async (): Promise<void> => {
        for await (const piece of body) expect(piece.length).toBe(1000);
      };
      await expect(read()).rejects.toThrow("ended while its answer flowed");
      expect(says(await call("fine", "say", { text: "afterwards" }))).toBe("afterwards");
    });

    it("T2: ignores signals and blocks: it is killed", async () => {
      expect(await harm("hostile", "ignore signals", {}, { timeoutMs: 300 })).toMatch(/^timeout: .*blocked the event loop/);
    });
  });

  describe.runIf(jailed && stands)("what a grant leaves to the jail", () => {
    const run = async (line: string, fn = "granted"): Promise<string> => (await harm(fn, "run", { line })).trim();

    it("W8: no files of the machine, of the node or of other instances", async () => {
      const database = join(app.directory, "millrace.db");
      writeFileSync(database, "events of everybody");
      for (const file of ["/etc/shadow", "/etc/passwd", database, join(app.release.directory, "app.mjs"), "/root/.profile"])
        expect(await run(`cat ${file}`)).toContain("No such file");
      expect(await run("ls ..")).toMatch(/^\d+$/);
      expect((await run("ls /")).split("\n").sort()).not.toEqual(expect.arrayContaining(["home", "root", "var", "sys"]));
    });

    it("W8: no processes but its own", async () => {
      const environment = readFileSync("/proc/self/environ", "latin1");
      expect(environment).not.toBe("");
      expect(await run("ls -d /proc/[0-9]* | wc -l")).toMatch(/^[1-9]$/);
      expect(await run("cat /proc/1/environ; tr '\\0' '\\n' < /proc/self/environ")).not.toContain("PATH=");
      expect(await run(`kill -0 ${process.pid}`)).toMatch(/No such process/);
    });

    it("W8: it writes nowhere but to its tmp", async () => {
      for (const path of ["/x", "/usr/x", "/dev/x", "bundle/x", "x", "bundle/app.mjs"])
        expect([path, await run(`echo 1 > ${path}`)]).toEqual([path, expect.stringContaining("Read-only file system")]);
      expect(await run("echo 1 > tmp/x && cat tmp/x")).toBe("1");
    });

    it("W9: no privileges, none to be had, and the filter in place", async () => {
      const status = await run("cat /proc/self/status");
      expect(status).toMatch(/^NoNewPrivs:\s*1$/m);
      expect(status).toMatch(/^Seccomp:\s*2$/m);
      expect(status).toMatch(/^CapEff:\s*0+$/m);
      expect(await run("unshare -U true")).toMatch(/not permitted/);
      expect(await run("mount -t tmpfs none /tmp")).toMatch(/must be superuser|permission denied|not permitted/i);
    });

    it("W4: without network its children have none either", async () => {
      const server = createServer((socket) => socket.end("hello"));
      const port = await listening(server);
      const line = `NODE_OPTIONS= ${process.execPath} --no-warnings -e 'require("net").connect(${port}, "127.0.0.1").on("data", (d) => console.log(d + "")).on("error", (e) => console.log(e.code))'`;
      expect(await run(line)).toBe("hello");
      expect(await run(line, "offline")).toBe("ECONNREFUSED");
      server.close();
    });
  });
});

function says(outcome: Outcome): string {
  if (outcome.kind !== "returned") return `${outcome.kind}: ${outcome.error.name}: ${outcome.error.message}`;
  return outcome.response?.body instanceof Uint8Array ? Buffer.from(outcome.response.body).toString() : "a stream";
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
