import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { onTestFinished } from "vitest";
import type { Manifest } from "../../protocol/manifest.ts";
import { describeModules } from "../../sdk/describe.ts";
import type { BundleEntry } from "../bundler.ts";

/** A folder of these files, gone when the test is. */
export async function temporaryApp(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "millrace-app-")));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await writeApp(directory, files);
  return directory;
}

export async function writeApp(directory: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
}

/** What a sandbox does for the node, here in the test's own process. */
export function describeHere(directory: string, entries: readonly BundleEntry[]): Promise<Manifest> {
  return describeModules(entries, async (entry) => (await import(/* @vite-ignore */ pathToFileURL(join(directory, entry)).href)) as object);
}
