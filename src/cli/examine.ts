import { existsSync } from "node:fs";
import { access, constants, mkdtemp, open, rm, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { version as esbuildVersion } from "esbuild";
import { findNode } from "../control/client/index.ts";
import { formatDuration } from "../core/duration.ts";
import { MillraceError } from "../core/errors.ts";
import { formatSize } from "../core/size.ts";
import { hasMemoryGroups, raiseWall } from "../pool/index.ts";
import { bundle } from "../releases/index.ts";
import { examineWall } from "./examine-wall.ts";
import { fail, type Finding, ok, warn } from "./finding.ts";

export interface Patient {
  readonly app: string;
  readonly data: string;
  readonly doors: readonly Door[];
}

interface Door {
  readonly name: string;
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
}

const OLDEST_NODE = 24;
/** A disk that takes longer makes every commit slow. */
const SLOW_SYNC_MS = 20;
const LITTLE_BYTES = 1024 ** 3;
const TOO_LITTLE_BYTES = 100 * 1024 ** 2;

export async function* examine({ app, data, doors }: Patient): AsyncGenerator<Finding> {
  yield checkNode(process.versions.node);
  yield* examineWall(await raiseWall(), hasMemoryGroups());
  yield checkBundler();
  yield* await checkData(data);
  yield await checkDisk(data);
  const running = await isRunning(data);
  for (const door of doors) if (door.port !== 0) yield await checkPort(door, running);
  yield await checkApp(app);
}

export function checkNode(version: string): Finding {
  if (Number(version.split(".")[0]) >= OLDEST_NODE) return ok("node", `Node.js ${version}`);
  return fail("node", `Node.js ${version} is too old`, `Install Node.js ${OLDEST_NODE} or newer.`);
}

function checkBundler(): Finding {
  return ok("esbuild", `esbuild ${esbuildVersion}`);
}

async function checkData(data: string): Promise<Finding[]> {
  const folder = nearestFolder(data);
  let trial: string;
  try {
    await access(folder, constants.W_OK);
    trial = await mkdtemp(join(folder, ".millrace-doctor-"));
  } catch (error) {
    return [fail("data", `${data} cannot be written: ${reason(error)}`, "Make it writable for this user, or name another with --data.")];
  }
  try {
    const syncMs = await medianSyncMs(join(trial, "sync"));
    const writable = ok("data", folder === data ? `${data} is writable` : `${data} can be made`);
    const says = `a sync to this disk takes ${formatDuration(syncMs)}`;
    if (syncMs < SLOW_SYNC_MS) return [writable, ok("sync", says)];
    return [writable, warn("sync", says, "Put the data directory on a faster disk: every commit waits for one sync.")];
  } catch (error) {
    return [fail("data", `${data} cannot be written: ${reason(error)}`, "Free disk space, or name another directory with --data.")];
  } finally {
    await rm(trial, { recursive: true, force: true });
  }
}

async function medianSyncMs(path: string): Promise<number> {
  const file = await open(path, "w");
  try {
    const block = Buffer.alloc(4096);
    const times: number[] = [];
    for (let i = 0; i < 9; i++) {
      const startedMs = performance.now();
      await file.write(block);
      await file.datasync();
      times.push(performance.now() - startedMs);
    }
    return times.sort((a, b) => a - b)[4] ?? 0;
  } finally {
    await file.close();
  }
}

async function checkDisk(data: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(nearestFolder(data));
  const freeBytes = bavail * bsize;
  const says = `${formatSize(freeBytes)} free`;
  if (freeBytes < TOO_LITTLE_BYTES) return fail("disk", says, "Free disk space: without room nothing can be accepted.");
  return freeBytes < LITTLE_BYTES ? warn("disk", says, "Free disk space before it runs out.") : ok("disk", says);
}

async function isRunning(data: string): Promise<boolean> {
  try {
    await findNode(data);
    return true;
  } catch (error) {
    if (error instanceof MillraceError) return false;
    throw error;
  }
}

async function checkPort({ name, host, port }: Door, running: boolean): Promise<Finding> {
  const check = `port ${port}`;
  const code = await listenOnce(host, port);
  if (code === null) return ok(check, `free for the ${name}`);
  if (code !== "EADDRINUSE") return fail(check, `cannot be used for the ${name}: ${code}`, "Choose another with --port.");
  // Its own node being up is no fault.
  if (running) return ok(check, "taken; a node runs on this data directory");
  return fail(check, `taken by another process, wanted for the ${name}`, "Stop what listens there, or choose another with --port.");
}

function listenOnce(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, host, () => server.close(() => resolve(null)));
  });
}

async function checkApp(app: string): Promise<Finding> {
  try {
    const { entries } = await bundle(app);
    const files = entries.length === 1 ? "1 file of functions compiles" : `${entries.length} files of functions compile`;
    return entries.length === 0
      ? warn("app", `${app} has no functions yet`, "Export one from a file in its `functions` folder.")
      : ok("app", files);
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    if (error.code === "app_not_found") return warn("app", error.message, error.cure);
    return fail("app", error.message, error.cure);
  }
}

function nearestFolder(path: string): string {
  let folder = path;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
