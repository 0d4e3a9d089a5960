import { describe, expect, it } from "vitest";
import type { Wall } from "../pool/index.ts";
import { examineWall } from "./examine-wall.ts";

const MACHINE: Wall["machine"] = {
  platform: "linux",
  arch: "x64",
  node: "/opt/node",
  libraries: [],
  nodeFlags: new Set(["--allow-net"]),
  timeZone: "UTC",
  bwrap: "/usr/bin/bwrap",
  prlimit: "/usr/bin/prlimit",
  setpriv: "/usr/bin/setpriv",
};
const JAIL: Wall = { name: "jail", machine: MACHINE, lack: null, idleDataBytes: 1 };
const OLD_NODE = { ...MACHINE, nodeFlags: new Set<string>() };
const CURE = "Install bubblewrap.";

const found = (wall: Wall): string[] => examineWall(wall, true).map(({ check, state, says }) => `${state} ${check}: ${says}`);

describe("W6: the doctor on walls", () => {
  it("names the jail", () => {
    expect(found(JAIL)).toEqual([
      "ok wall: jail: namespaces and a filter of system calls around Node's permission model",
      "ok network: `network: false` is held by the jail and by Node.js",
      "ok limits: open files, file sizes and core dumps are limited by the kernel; processor time is watched",
      "ok memory: limited by the kernel (a control group, the size of its data), and watched",
    ]);
    expect(found({ ...JAIL, machine: OLD_NODE })[1]).toBe("ok network: `network: false` is held by the jail");
  });

  it("says why there is no jail, and what to do about it", () => {
    const [wall] = examineWall({ ...JAIL, name: "permission", lack: { why: "bubblewrap is not installed", cure: CURE } }, true);
    expect(wall).toMatchObject({
      state: "warn",
      says: expect.stringMatching(/^permission: .*; no jail: bubblewrap is not installed$/),
      cure: CURE,
    });
  });

  it("finds nothing wrong where there can be none", () => {
    const lack = { why: "the jail needs Linux, this is darwin", cure: null };
    const machine = { ...MACHINE, platform: "darwin", prlimit: null } as const;
    const found = examineWall({ name: "permission", machine, lack, idleDataBytes: null }, false);
    expect(found.filter(({ check }) => check !== "network").map(({ state }) => state)).toEqual(["ok", "ok", "ok"]);
    expect(found.at(-1)?.says).toContain("the heap is limited");
  });

  it("warns where `network: false` or limits do not hold", () => {
    const states = examineWall({ ...JAIL, name: "permission", machine: { ...OLD_NODE, prlimit: null } }, false).map(({ state }) => state);
    expect(states).toEqual(["ok", "warn", "warn", "ok"]);
  });

  it("says what limits memory", () => {
    const says = (wall: Wall, groups: boolean): string | undefined => examineWall(wall, groups).at(-1)?.says;
    expect(says(JAIL, false)).toBe("limited by the kernel (the size of its data), and watched");
    expect(says({ ...JAIL, idleDataBytes: null }, true)).toBe("limited by the kernel (a control group), and watched");
    expect(says({ ...JAIL, idleDataBytes: null }, false)).toBe("the heap is limited by V8; all of it is watched");
  });

  it("fails where there is but a process", () => {
    expect(examineWall({ ...JAIL, name: "process" }, true)[0]).toMatchObject({ state: "fail", cure: expect.stringContaining("24") });
  });
});
