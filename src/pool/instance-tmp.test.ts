import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { bundleRuntime } from "../sandbox/bundle-runtime.ts";
import { Deadlines } from "./deadlines.ts";
import { InstanceDirectories } from "./instance-directory.ts";
import type { InstanceContext, InstanceOwner } from "./instance-roles.ts";
import { Instance } from "./instance.ts";
import { raiseWall } from "./jail/index.ts";
import { nodeSpawner } from "./spawn.ts";

const { name: strongest } = await raiseWall();

it.each(["permission", "jail"] as const)("W8: the node sees an instance's tmp, behind the wall: %s", async (wanted) => {
  const wall = await raiseWall(wanted);
  // Without a jail both are the same wall.
  expect(["permission", strongest]).toContain(wall.name);
  const data = mkdtempSync(join(tmpdir(), "millrace-tmp-"));
  const runtimeFile = join(data, "runtime.cjs");
  await bundleRuntime(runtimeFile);
  const directories = await InstanceDirectories.open(data);
  const ready = Promise.withResolvers<void>();
  const owner: InstanceOwner = { instanceReady: () => ready.resolve(), instanceLoaded() {}, instanceFreed() {}, instanceEnded() {} };
  const context: InstanceContext = {
    spawn: nodeSpawner(runtimeFile, wall, null),
    directories,
    deadlines: new Deadlines(),
    nowMs: () => performance.now(),
    graceMs: 250,
    loadLimitMs: 10_000,
    onSpawned: () => {},
    onStrayLog: () => {},
  };
  const instance = new Instance(context, { memoryBytes: 64 * 2 ** 20, allow: [], network: false }, owner);
  onTestFinished(async () => {
    instance.endNow();
    await instance.gone;
    rmSync(data, { recursive: true, force: true });
  });
  await ready.promise;
  expect(existsSync(instance.folder.tmp)).toBe(true);
  expect(readFileSync(`/proc/${instance.pid}/cmdline`, "latin1").split("\0")[0]).toBe(process.execPath);
});
