import { lstatSync, type Dirent, readdirSync } from "node:fs";
import { join } from "node:path";

/** What a file costs whatever is in it: a folder of a million empty ones is full too. */
const FILE_BYTES = 4096;

/** Whether a folder holds more than this. It is read no further than to know. */
export function isFuller(folder: string, limitBytes: number): boolean {
  return sizeUpTo(folder, limitBytes) > limitBytes;
}

function sizeUpTo(folder: string, limitBytes: number): number {
  let sizeBytes = 0;
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name);
    sizeBytes += FILE_BYTES + (entry.isDirectory() ? sizeUpTo(path, limitBytes - sizeBytes) : bytesOnDisk(path));
    if (sizeBytes > limitBytes) break;
  }
  return sizeBytes;
}

/** A file with holes is as large as what is on disk of it. */
function bytesOnDisk(path: string): number {
  return (lstatSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // Its owner has just removed it, or closed it to us: then it is removed with the instance.
    return [];
  }
}
