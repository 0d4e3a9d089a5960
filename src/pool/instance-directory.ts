import { constants } from "node:fs";
import { copyFileSync, linkSync, mkdirSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Each instance has a private folder: `bundle/` (what it may read and run), `tmp/` (the only place where it may write).
 * Permissions are fixed when a process starts, before it is known which function it will run: so the bundle comes to the
 * folder, by hard links (20 µs a file), and not the permission to the bundle.
 */
export class InstanceDirectories {
  readonly root: string;
  private next = 1;
  private readonly removals = new Set<Promise<void>>();

  private constructor(root: string) {
    this.root = root;
  }

  /** Ends and removes what a node that crashed has left; nobody else uses this data directory (the store's lock sees to that). */
  static async open(dataDirectory: string): Promise<InstanceDirectories> {
    const wanted = join(dataDirectory, "instances");
    await mkdir(wanted, { recursive: true, mode: 0o700 });
    // The permission model compares real paths.
    const root = realpathSync(wanted);
    await endLeftovers(root);
    for (const name of await readdir(root)) await removeTree(join(root, name));
    return new InstanceDirectories(root);
  }

  make(): string {
    const directory = join(this.root, String(this.next++));
    mkdirSync(join(directory, "tmp"), { recursive: true, mode: 0o700 });
    return directory;
  }

  remove(directory: string): void {
    const removal = removeTree(directory).finally(() => this.removals.delete(removal));
    this.removals.add(removal);
  }

  async removed(): Promise<void> {
    await Promise.all(this.removals);
  }
}

/** The only place where an instance may write. */
export function tmpDirectory(instanceDirectory: string): string {
  return join(instanceDirectory, "tmp");
}

/** Where the bundle of a release lies within an instance's folder. */
export function bundleDirectory(instanceDirectory: string): string {
  return join(instanceDirectory, "bundle");
}

/**
 * `own`: copies instead of links. A function that may start processes or load addons is not held by the permission model
 * and could write through a link into the release itself.
 */
export function placeBundle(from: string, instanceDirectory: string, own: boolean): string {
  const to = bundleDirectory(instanceDirectory);
  const made = new Set<string>();
  for (const file of bundleFiles(from)) {
    const target = join(to, file);
    const folder = dirname(target);
    if (!made.has(folder)) mkdirSync(folder, { recursive: true });
    made.add(folder);
    if (own) copyFileSync(join(from, file), target);
    else linkOrCopy(join(from, file), target);
  }
  return to;
}

/** Before another release takes its place; nothing of it may have been run. */
export function removeBundle(instanceDirectory: string): void {
  rmSync(bundleDirectory(instanceDirectory), { recursive: true, force: true });
}

function bundleFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!isCode(error, "EXDEV", "EPERM", "EMLINK", "ENOTSUP")) throw error;
    copyFileSync(from, to, constants.COPYFILE_FICLONE);
  }
}

async function removeTree(path: string): Promise<void> {
  // A process that was just killed may still hold a file open on some file systems: tried again, else left to the next start.
  await rm(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 }).catch(() => {});
}

/**
 * An instance ends when its connection does, unless its loop is blocked at that moment. Such a one is found by its
 * command line, which names its folder. (Linux; elsewhere there is no such list to read.)
 */
async function endLeftovers(root: string): Promise<void> {
  const mark = `--allow-fs-write=${root}/`;
  for (const name of await readdir("/proc").catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    const commandLine = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    if (!commandLine.includes(`\0${mark}`)) continue;
    try {
      process.kill(Number(name), "SIGKILL");
    } catch (error) {
      if (!isCode(error, "ESRCH")) throw error;
    }
  }
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
