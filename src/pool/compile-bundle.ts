import { copyFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { codeCacheFile } from "../protocol/index.ts";
import type { InstanceOwner } from "./instance-roles.ts";
import type { Instance } from "./instance.ts";

/**
 * Lays V8's code cache beside each compiled file of a release, made in a process that has run none of its code: what user code wrote there
 * would be machine code for instances to trust. Returns how many there are; none where something went wrong, since a release runs
 * without them as well.
 */
export async function compileBundle(take: (owner: InstanceOwner) => Instance, directory: string): Promise<number> {
  const files = await modulesIn(directory);
  if (files.length === 0) return 0;
  const { promise, resolve } = Promise.withResolvers<number | null>();
  const owner: InstanceOwner = {
    instanceReady: () => {},
    instanceLoaded: () => {},
    instanceFreed: () => {},
    instanceEnded: () => resolve(null),
  };
  const instance = take(owner);
  try {
    instance.compile(directory, files, owner, resolve);
    const made = await promise;
    if (made !== files.length) return 0;
    // Copied: a jailed process has its tmp on a file system of its own.
    for (const [place, file] of files.entries())
      await copyFile(join(instance.folder.tmp, String(place)), codeCacheFile(join(directory, file)));
    return files.length;
  } catch {
    return 0;
  } finally {
    instance.endNow();
  }
}

async function modulesIn(directory: string): Promise<string[]> {
  const files = await readdir(directory, { recursive: true }).catch(() => []);
  // Packages that are carried as they are installed are imported by Node itself.
  return files.filter((file) => file.endsWith(".mjs") && !file.startsWith("node_modules")).sort();
}
