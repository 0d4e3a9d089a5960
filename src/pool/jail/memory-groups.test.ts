import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { MemoryGroups, placesIn } from "./memory-groups.ts";

const MIB = 2 ** 20;

/** Waits for a word, then fills 200 MiB. */
const GREEDY = `process.stdin.once("data", () => { const all = []; for (let i = 0; i < 200; i++) all.push(Buffer.alloc(${MIB}, 1)); process.stdout.write("filled"); process.exit(0); });`;

const groups = MemoryGroups.open();
groups?.close();

describe("W10: control groups for memory", () => {
  it("are looked for where this process is, in both versions of the interface", () => {
    const v1 =
      "tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\ncgroup /nowhere/memory cgroup rw,memory 0 0\n";
    expect(placesIn(v1, "5:cpu:/a\n4:memory:/a/b\n0::/\n")).toEqual([{ folder: "/nowhere/memory", version: "cgroup" }]);
    const v2 = "cgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate 0 0\n";
    expect(placesIn(v2, "0::/user.slice/app.service\n")).toEqual([
      { folder: "/sys/fs/cgroup/user.slice/app.service", version: "cgroup2" },
      { folder: "/sys/fs/cgroup/user.slice", version: "cgroup2" },
    ]);
    expect(placesIn(v2, "0::/\n")).toEqual([{ folder: "/sys/fs/cgroup", version: "cgroup2" }]);
    expect(placesIn("proc /proc proc rw 0 0\n", "")).toEqual([]);
  });

  it("are none where none can be made, and nothing is left of the attempt", () => {
    const folder = mkdtempSync(join(tmpdir(), "millrace-groups-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "file"), "");
    const texts = new Map([["/proc/self/mounts", `cgroup2 ${folder}/file cgroup2 rw 0 0\n`]]);
    expect(MemoryGroups.open((path) => texts.get(path) ?? "")).toBeNull();
    expect(readdirSync(folder)).toEqual(["file"]);
  });

  it("of a node that is no more are removed, those of others stay", () => {
    const folder = mkdtempSync(join(tmpdir(), "millrace-groups-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    for (const path of ["millrace-4194305-1/0", "millrace-4194305-1/1", `millrace-${process.pid}-77/0`, "somebody/0"])
      mkdirSync(join(folder, path), { recursive: true });
    const texts = new Map([["/proc/self/mounts", `cgroup ${folder} cgroup rw,memory 0 0\n`]]);
    // No kernel stands behind these files, so that they cannot go as its groups do; what counts is who was swept.
    MemoryGroups.open((path) => texts.get(path) ?? "");
    expect(readdirSync(folder)).not.toContain("millrace-4194305-1");
    expect(readdirSync(folder)).toEqual(expect.arrayContaining([`millrace-${process.pid}-77`, "somebody"]));
  });

  // Where this user may make none there is nothing to try.
  it.runIf(groups !== null)("hold a process to its limit, tell that it ran out, and go with it", async () => {
    const made = MemoryGroups.open();
    const group = made?.make(64 * MIB);
    if (made === null || group === null || group === undefined) throw new Error("a group could be made a moment ago");
    const child = spawn(process.execPath, ["-e", GREEDY], { stdio: ["pipe", "pipe", "ignore"] });
    const home = (): string | undefined =>
      /:memory:(.*)$|^0::(.*millrace.*)$/m.exec(readFileSync(`/proc/${child.pid}/cgroup`, "utf8"))?.[0];
    group.admit(child.pid ?? 0);
    expect(home()).toContain(`millrace-${process.pid}-`);
    expect(group.ranOut).toBe(false);
    child.stdin.write("go\n");
    const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
    expect([code, signal]).toEqual([null, "SIGKILL"]);
    expect(group.ranOut).toBe(true);
    group.remove();
    await expect.poll(() => existsSync(`/proc/${child.pid}`)).toBe(false);
    made.close();
    expect(MemoryGroups.open()?.close()).toBeUndefined();
  });
});
