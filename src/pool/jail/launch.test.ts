import { describe, expect, it } from "vitest";
import type { InstanceClass } from "../spawn.ts";
import { describeLaunch } from "./launch.ts";
import type { Machine } from "./machine.ts";
import { insistOn, jailLack, refusedJail, type Wall } from "./wall.ts";

const MACHINE: Machine = {
  platform: "linux",
  arch: "x64",
  node: "/opt/node",
  libraries: ["/lib/libc.so.6"],
  nodeFlags: new Set(["--max-heap-size", "--allow-net"]),
  timeZone: "Asia/Tokyo",
  bwrap: "/usr/bin/bwrap",
  prlimit: "/usr/bin/prlimit",
  setpriv: "/usr/bin/setpriv",
};
const JAIL: Wall = { name: "jail", machine: MACHINE, lack: null, idleDataBytes: 600 * 2 ** 20 };
const PERMISSION: Wall = { ...JAIL, name: "permission" };
const PLAIN: InstanceClass = { memoryBytes: 64 * 2 ** 20, allow: [], network: true };

const commandOf = (wall: Wall, over: Partial<InstanceClass> = {}): string => {
  const { program, args } = describeLaunch(wall, { ...PLAIN, ...over }, "/data/instances/1", "/data/runtime.cjs");
  return [program, ...args].join(" ");
};
const shown = (command: string): string[] => [...command.matchAll(/--ro-bind(?:-try)? (\S+)/g)].map((found) => found[1] ?? "");

describe("how a process is started", () => {
  it("W2: it gets none of the node's variables", () => {
    for (const wall of [JAIL, PERMISSION])
      expect(describeLaunch(wall, PLAIN, "/data/instances/1", "/data/runtime.cjs").env).toEqual({ TMPDIR: "/data/instances/1/tmp" });
  });

  it("W7: limits of open files, cores, file sizes and data come first, whatever the wall", () => {
    const limits = `/usr/bin/prlimit --core=0 --nofile=4096 --fsize=${64 * 2 ** 20} --data=${(600 + 64 + 128) * 2 ** 20} -- `;
    expect(commandOf(JAIL)).toMatch(new RegExp(`^${limits}/usr/bin/bwrap `));
    expect(commandOf(PERMISSION)).toMatch(
      new RegExp(`^/usr/bin/setpriv --pdeathsig KILL --no-new-privs -- ${limits}/opt/node --permission `),
    );
  });

  it("W7: threads reserve so much that with workers data is not limited, nor where it was not measured", () => {
    expect(commandOf(JAIL, { allow: ["worker"] })).not.toContain("--data=");
    expect(commandOf({ ...JAIL, idleDataBytes: null })).not.toContain("--data=");
  });

  it("D1: without the tools Node is started as it is", () => {
    const machine = { ...MACHINE, prlimit: null, setpriv: null };
    expect(commandOf({ ...PERMISSION, machine })).toMatch(/^\/opt\/node --permission /);
  });

  it("W8: the jail shows what the instance reads, and nothing else", () => {
    expect(shown(commandOf(JAIL, { network: false }))).toEqual(["/lib/libc.so.6", "/opt/node", "/data/runtime.cjs", "/data/instances/1"]);
    expect(shown(commandOf(JAIL))).toContain("/etc/resolv.conf");
    expect(shown(commandOf(JAIL, { allow: ["addons"] }))).toContain("/usr/lib");
    expect(shown(commandOf(JAIL, { allow: ["addons"] }))).not.toContain("/usr");
    expect(shown(commandOf(JAIL, { allow: ["child_process"] }))).toContain("/usr");
    for (const path of ["/", "/etc", "/home", "/root", "/data", "/data/instances"])
      expect(shown(commandOf(JAIL, { allow: ["child_process", "addons", "worker"] }))).not.toContain(path);
  });

  it("W8: every namespace is new; the network's only if the function gave it up", () => {
    for (const name of ["user", "pid", "ipc", "uts", "cgroup-try"]) expect(commandOf(JAIL)).toContain(` --unshare-${name} `);
    expect(commandOf(JAIL)).not.toContain("--unshare-net");
    expect(commandOf(JAIL, { network: false })).toContain(" --unshare-net ");
    expect(commandOf(JAIL)).toContain(" --die-with-parent --new-session --cap-drop ALL ");
  });

  it("W8: tmp is memory of a given size, also by the name of /tmp, unless something lies below that", () => {
    expect(commandOf(JAIL)).toContain(
      `--size ${64 * 2 ** 20} --tmpfs /data/instances/1/tmp --symlink /data/instances/1/tmp /tmp --remount-ro / `,
    );
    const { args } = describeLaunch(JAIL, PLAIN, "/tmp/data/instances/1", "/data/runtime.cjs");
    expect(args).not.toContain("/tmp");
  });

  it("W1: the permission model stays on inside", () => {
    expect(commandOf(JAIL)).toContain(" -- /opt/node --permission --allow-fs-read=/data/instances/1 ");
  });

  it("W9: the filter comes by a descriptor, and lets those start processes who may", () => {
    const filterOf = (over: Partial<InstanceClass>): Buffer | null =>
      describeLaunch(JAIL, { ...PLAIN, ...over }, "/data/instances/1", "/data/runtime.cjs").filter;
    expect(commandOf(JAIL)).toContain(" --seccomp 4 ");
    expect(filterOf({ allow: ["child_process"] })).not.toEqual(filterOf({}));
    expect(filterOf({ allow: ["addons"] })).toEqual(filterOf({}));
    expect(describeLaunch(PERMISSION, PLAIN, "/data/instances/1", "/data/runtime.cjs").filter).toBeNull();
  });
});

describe("W6: why there is no jail", () => {
  it.each([
    [{ platform: "darwin" as const }, "the jail needs Linux, this is darwin", null],
    [{ arch: "riscv64" }, "its filter of system calls is not written for riscv64", null],
    [{ bwrap: null }, "bubblewrap is not installed", expect.stringContaining("apt install bubblewrap")],
  ])("%j", (over, why, cure) => {
    expect(jailLack({ ...MACHINE, ...over })).toEqual({ why, cure });
  });

  it("is nothing before it is tried", () => {
    expect(jailLack(MACHINE)).toBeNull();
  });

  it.each([
    [
      "bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user namespaces.",
      "user namespaces",
    ],
    ["bwrap: Can't mount proc on /newroot/proc: Operation not permitted", "may mount"],
    ["bwrap: something else", "as the node's user"],
  ])("%s", (said, cure) => {
    const lack = refusedJail(said);
    expect(lack.why).toBe(said.replace("bwrap:", "bubblewrap says:"));
    expect(lack.cure).toContain(cure);
  });
});

it("W6: who insists on a jail gets one or the reason", () => {
  const less: Wall = { ...PERMISSION, lack: { why: "bubblewrap is not installed", cure: "Install it." } };
  expect(insistOn("jail", JAIL)).toBe(JAIL);
  expect(insistOn(undefined, less)).toBe(less);
  expect(insistOn("permission", less)).toBe(less);
  expect(() => insistOn("jail", less)).toThrow(
    expect.objectContaining({ code: "bad_config", message: expect.stringContaining("bubblewrap is not installed"), cure: "Install it." }),
  );
});
