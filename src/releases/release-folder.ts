import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Manifest } from "../protocol/manifest.ts";
import type { BundleFile } from "./bundler.ts";

const KEPT = 5;
const TEMPORARY = ".new-";
const NONE: ReadonlySet<string> = new Set();
const MANIFEST = "manifest.json";
/** Each file of the bundle with its size: after a power failure a folder may be there without what was in its files. */
const FILES = "files.json";
const ID = /^[0-9a-f]{16}$/;

/** What names a release: its bundle and the variables it was loaded with, since both decide what the code does. */
export function releaseId(files: readonly BundleFile[], env: Readonly<Record<string, string>>): string {
  const hash = createHash("sha256");
  const add = (name: string, contents: string | Uint8Array): void => {
    hash.update(`${name}\n${contents.length}\n`);
    hash.update(contents);
  };
  for (const { path, contents } of files) add(path, contents);
  for (const [name, value] of Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))) add(`$${name}`, Buffer.from(value));
  return hash.digest("hex").slice(0, 16);
}

/** The folders of an app's releases: each complete or absent. */
export class ReleaseFolder {
  private readonly root: string;

  constructor(dataDirectory: string) {
    this.root = join(dataDirectory, "releases");
  }

  /**
   * Lays the files out, has them described, and only then lets the folder appear under its name. A folder that is there
   * already is used as it stands (an instance may be running from it) unless a crash left it incomplete.
   */
  async publish(id: string, files: readonly BundleFile[], describe: (directory: string) => Promise<Manifest>): Promise<PublishedRelease> {
    const directory = join(this.root, id);
    if (await holds(directory, files)) {
      const manifest = await describe(directory);
      await writeWhole(join(directory, MANIFEST), JSON.stringify(manifest));
      await writeWhole(join(directory, FILES), sizesOf(files));
      await utimes(directory, new Date(), new Date());
      return { directory, manifest };
    }
    const temporary = join(this.root, `${TEMPORARY}${randomUUID()}`);
    try {
      await writeFiles(temporary, files);
      const manifest = await describe(temporary);
      await writeFile(join(temporary, MANIFEST), JSON.stringify(manifest));
      await writeFile(join(temporary, FILES), sizesOf(files));
      await rm(directory, { recursive: true, force: true });
      await rename(temporary, directory);
      return { directory, manifest };
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw error;
    }
  }

  /** A release that was published before; null where it is gone, or not whole. */
  async open(id: string): Promise<PublishedRelease | null> {
    if (!ID.test(id)) return null;
    const directory = join(this.root, id);
    const [manifest, sizes] = await Promise.all([readJson(join(directory, MANIFEST)), readJson(join(directory, FILES))]);
    if (!isManifest(manifest) || !isRecord(sizes)) return null;
    const same = await Promise.all(Object.entries(sizes).map(async ([path, bytes]) => (await sizeOf(join(directory, path))) === bytes));
    return same.every(Boolean) ? { directory, manifest } : null;
  }

  /** Removes all but the newest releases and those that something else needs, and what a crash left half-written. */
  async prune(usedId: string, held: () => Promise<ReadonlySet<string>>): Promise<void> {
    const names = await readdir(this.root);
    const aged = await Promise.all(names.map(async (name) => ({ name, atMs: (await stat(join(this.root, name))).mtimeMs })));
    const complete = aged.filter(({ name }) => !name.startsWith(TEMPORARY)).sort((a, b) => b.atMs - a.atMs);
    const newest = complete.map(({ name }) => name).filter((name) => name !== usedId);
    const kept = new Set([usedId, ...newest.slice(0, KEPT - 1)]);
    const old = names.filter((name) => !kept.has(name));
    // Asking may take half a second, with a million runs; there is seldom anything to ask about.
    const needed = old.length === 0 ? NONE : await held();
    await Promise.all(old.filter((name) => !needed.has(name)).map((name) => rm(join(this.root, name), { recursive: true, force: true })));
  }
}

export interface PublishedRelease {
  readonly directory: string;
  readonly manifest: Manifest;
}

async function holds(directory: string, files: readonly BundleFile[]): Promise<boolean> {
  const same = await Promise.all(
    files.map(async ({ path, contents }) => {
      const there = await readFile(join(directory, path)).catch(() => undefined);
      return there !== undefined && there.equals(contents);
    }),
  );
  return files.length > 0 && same.every(Boolean);
}

async function writeFiles(directory: string, files: readonly BundleFile[]): Promise<void> {
  await mkdir(directory, { recursive: true });
  const folders = new Set(files.map(({ path }) => dirname(join(directory, path))));
  await Promise.all([...folders].map((folder) => mkdir(folder, { recursive: true })));
  await Promise.all(files.map(({ path, contents }) => writeFile(join(directory, path), contents)));
}

async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomUUID()}`;
  await writeFile(temporary, text);
  await rename(temporary, file);
}

function sizesOf(files: readonly BundleFile[]): string {
  return JSON.stringify(Object.fromEntries(files.map(({ path, contents }) => [path, contents.length])));
}

async function sizeOf(file: string): Promise<number | null> {
  return stat(file).then(
    ({ size }) => size,
    () => null,
  );
}

/** Null where it is not there or is no JSON. */
async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    return null;
  }
}

/** What was checked when it was written is only looked at for being whole. */
function isManifest(manifest: unknown): manifest is Manifest {
  return isRecord(manifest) && Array.isArray(manifest["functions"]) && Array.isArray(manifest["events"]);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
