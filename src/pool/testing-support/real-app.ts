import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { FunctionManifest, Release } from "../../protocol/index.ts";
import { bundleRuntime } from "../../sandbox/bundle-runtime.ts";
import { InstancePool, type InstancePoolOptions } from "../instance-pool.ts";
import { functionManifest, releaseOf } from "./scripted-instance.ts";

/** For tests: an app of one source text, bundled, over real processes. */
export interface RealApp {
  readonly directory: string;
  readonly release: Release;
  readonly pool: InstancePool;
  readonly close: () => Promise<void>;
}

/** `functions`: what the manifest says of each export. */
export async function realApp(
  source: string,
  functions: Readonly<Record<string, Partial<FunctionManifest>>>,
  options: Partial<InstancePoolOptions> = {},
): Promise<RealApp> {
  const directory = mkdtempSync(join(tmpdir(), "millrace-pool-"));
  const bundle = join(directory, "release");
  await bundleApp(source, bundle);
  const manifests = Object.entries(functions).map(([name, over]) => functionManifest(name, over));
  const runtimeFile = join(directory, "runtime.cjs");
  await bundleRuntime(runtimeFile);
  const pool = new InstancePool({ dataDirectory: directory, runtimeFile, spares: { classes: 0, perClass: 0 }, ...options });
  await pool.start();
  const release = releaseOf(bundle, manifests);
  pool.use(release);
  const close = async (): Promise<void> => {
    await pool.stop();
    await rm(directory, { recursive: true, force: true });
  };
  return { directory, release, pool, close };
}

export async function bundleApp(source: string, outDirectory: string): Promise<void> {
  const file = join(outDirectory, "..", "functions.ts");
  writeFileSync(file, source);
  await build({
    entryPoints: { app: file },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node24",
    outdir: outDirectory,
    outExtension: { ".js": ".mjs" },
    sourcemap: "linked",
    alias: { millrace: fileURLToPath(new URL("../../sdk/index.ts", import.meta.url)) },
    logLevel: "silent",
  });
}
