import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { FunctionManifest } from "../../protocol/index.ts";
import { InstancePool, type InstancePoolOptions } from "../instance-pool.ts";
import type { Outcome, RunOutcome } from "../pool.ts";
import { functionManifest, releaseOf, type Script, type ScriptedInstance, scriptedSpawner } from "./scripted-instance.ts";

export interface Rig {
  readonly pool: InstancePool;
  readonly directory: string;
  readonly bundle: string;
  readonly made: ScriptedInstance[];
}

/** For tests: a pool over scripted instances, gone when the test is. */
export async function rig(
  script: Script,
  functions: readonly FunctionManifest[],
  options: Partial<InstancePoolOptions> = {},
): Promise<Rig> {
  const directory = mkdtempSync(join(tmpdir(), "millrace-pool-"));
  const bundle = join(directory, "release");
  mkdirSync(join(bundle, "chunks"), { recursive: true });
  writeFileSync(join(bundle, "app.mjs"), "export {};");
  writeFileSync(join(bundle, "chunks", "a.mjs"), "export {};");
  const made: ScriptedInstance[] = [];
  const pool = new InstancePool({
    dataDirectory: directory,
    runtimeFile: "unused",
    spawn: scriptedSpawner(script, made),
    spares: { classes: 0, perClass: 0 },
    stopLimitMs: 200,
    ...options,
  });
  onTestFinished(async () => {
    await pool.stop();
    await rm(directory, { recursive: true, force: true });
  });
  await pool.start();
  pool.use(releaseOf(bundle, functions));
  return { pool, directory, bundle, made };
}

export const one = (over: Partial<FunctionManifest> = {}): FunctionManifest =>
  functionManifest("f", { instances: { min: 0, max: 1, idleMs: 60_000 }, concurrency: { instance: 2, function: null, key: 1 }, ...over });

export function kindOf(outcome: Outcome | RunOutcome): string {
  if (outcome.kind === "not-run") return outcome.reason;
  return outcome.kind === "crashed" ? outcome.blame : outcome.kind;
}
