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

const found = (wall: Wall): string[] => examineWall(wall).map(({ check, state, says }) => `${state} ${check}: ${says}`);

describe("W6: the doctor on walls", () => {
  it("names the jail", () => {
    expect(found(JAIL)).toEqual([
      "ok wall: jail: namespaces and a filter of system calls around Node's permission model",
      "ok network: `network: false` is held by the jail and by Node.js",
      "ok limits: open files, file sizes, core dumps and memory are limited by the kernel; memory and processor time are watched",
    ]);
    expect(found({ ...JAIL, machine: OLD_NODE })[1]).toBe("ok network: `network: false` is held by the jail");
  });

  it("says why there is no jail, and what to do about it", () => {
    const [wall] = examineWall({ ...JAIL, name: "permission", lack: { why: "bubblewrap is not installed", cure: CURE } });
    expect(wall).toMatchObject({
      state: "warn",
      says: expect.stringMatching(/^permission: .*; no jail: bubblewrap is not installed$/),
      cure: CURE,
    });
  });

  it("finds nothing wrong where there can be none", () => {
    const [wall, , limits] = examineWall({
      name: "permission",
      machine: { ...MACHINE, platform: "darwin", prlimit: null },
      lack: { why: "the jail needs Linux, this is darwin", cure: null },
      idleDataBytes: null,
    });
    expect([wall?.state, limits?.state]).toEqual(["ok", "ok"]);
    expect(limits?.says).toContain("the heap is limited");
  });

  it("warns where `network: false` or limits do not hold", () => {
    const states = examineWall({ ...JAIL, name: "permission", machine: { ...OLD_NODE, prlimit: null } }).map(({ state }) => state);
    expect(states).toEqual(["ok", "warn", "warn"]);
  });

  it("fails where there is but a process", () => {
    expect(examineWall({ ...JAIL, name: "process" })[0]).toMatchObject({ state: "fail", cure: expect.stringContaining("24") });
  });
});
