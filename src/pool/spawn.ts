import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import type { Socket } from "node:net";
import type { Grant } from "../protocol/manifest.ts";
import { OutputRing } from "./output-ring.ts";

/** What is fixed when a process starts; instances of one class can stand in for each other until they are given a function. */
export interface InstanceClass {
  readonly memoryBytes: number;
  readonly allow: readonly Grant[];
  readonly network: boolean;
}

export function classKey({ memoryBytes, allow, network }: InstanceClass): string {
  return `${memoryBytes} ${network ? "network" : "-"} ${[...allow].sort().join(",")}`;
}

/** How a process ended, with the last it printed. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: string;
}

/** The edge between the pool and a process. Tests put a scripted peer in its place. */
export interface InstanceProcess {
  readonly pid: number;
  /** Bytes of frames, to the process. */
  readonly write: (bytes: Buffer) => void;
  /** Ends it at once (SIGKILL). */
  readonly kill: () => void;
  /** Given once, right after the start. `onBytes` is not called after `onExit`. */
  readonly listen: (onBytes: (bytes: Buffer) => void, onExit: (exit: Exit) => void) => void;
}

export type SpawnInstance = (instanceClass: InstanceClass, directory: string) => InstanceProcess;

/** After a process ended, how long its last frames may take to be read. */
const LAST_FRAMES_MS = 250;

/** Nobody survives the node: whoever is in here is killed when the node's process exits in an orderly way. */
const alive = new Set<ChildProcess>();
let watchingExit = false;

function killWithNode(child: ChildProcess): void {
  alive.add(child);
  child.once("exit", () => alive.delete(child));
  if (watchingExit) return;
  watchingExit = true;
  process.on("exit", () => {
    for (const each of alive) each.kill("SIGKILL");
  });
}

/**
 * An instance notices by its closed socket that the node was killed, but not while user code blocks its loop. So Linux is asked to kill it
 * with its parent; util-linux's setpriv (part of every Debian) does that and then becomes the instance itself, for about 1 ms of start.
 */
const SETPRIV = "/usr/bin/setpriv";

const DYING_WITH_PARENT = [SETPRIV, "--pdeathsig", "KILL", "--"] as const;
let kernelEndsThem: boolean | undefined;

function dyingWithParent(command: readonly string[]): readonly string[] {
  kernelEndsThem ??= process.platform === "linux" && works(DYING_WITH_PARENT);
  return kernelEndsThem ? [...DYING_WITH_PARENT, ...command] : command;
}

/** Tried, since not every setpriv knows the option (BusyBox's does not). */
function works([program = "", ...args]: readonly string[]): boolean {
  return spawnSync(program, [...args, process.execPath, "--version"], { stdio: "ignore" }).status === 0;
}

export function nodeSpawner(runtimeFile: string): SpawnInstance {
  return (instanceClass, directory) => {
    const command = dyingWithParent([process.execPath, ...nodeFlags(instanceClass, directory, runtimeFile), runtimeFile]);
    const child = spawn(command[0] ?? process.execPath, command.slice(1), {
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      // Nothing of the node's own environment; what the app's variables are comes with the function.
      env: { TMPDIR: `${directory}/tmp` },
      cwd: directory,
      detached: false,
    });
    killWithNode(child);
    return new ChildInstance(child);
  };
}

/**
 * The walls. Beyond the permission model: node:sqlite opens any file on disk in spite of it (Node 26.10), so it is off;
 * and SIGUSR1 must not open an inspector.
 */
export function nodeFlags({ memoryBytes, allow, network }: InstanceClass, directory: string, runtimeFile: string): string[] {
  const known = process.allowedNodeEnvironmentFlags;
  const flags = [
    "--permission",
    `--allow-fs-read=${directory}`,
    `--allow-fs-read=${runtimeFile}`,
    `--allow-fs-write=${directory}/tmp`,
    "--no-experimental-sqlite",
    "--disable-sigusr1",
    "--no-warnings",
    // Modules that are compiled and linked before they are run: sandbox/bundle-modules.ts.
    "--experimental-vm-modules",
    `--${known.has("--max-heap-size") ? "max-heap-size" : "max-old-space-size"}=${Math.max(16, Math.floor(memoryBytes / 2 ** 20))}`,
  ];
  if (allow.includes("child_process")) flags.push("--allow-child-process");
  if (allow.includes("worker")) flags.push("--allow-worker");
  if (allow.includes("addons")) flags.push("--allow-addons");
  // Before Node 25 the permission model knows no network: it is open there.
  if (network && known.has("--allow-net")) flags.push("--allow-net");
  return flags;
}

class ChildInstance implements InstanceProcess {
  readonly pid: number;
  private readonly child: ChildProcess;
  private readonly socket: Socket;
  private readonly printed = new OutputRing();

  constructor(child: ChildProcess) {
    this.child = child;
    this.pid = child.pid ?? 0;
    this.socket = child.stdio[3] as Socket;
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (piece: Buffer) => this.printed.push(piece));
    // Writing to a process that has just ended is no news: its exit is reported.
    this.socket.on("error", () => {});
  }

  readonly write = (bytes: Buffer): void => {
    if (this.socket.writable) this.socket.write(bytes);
  };

  readonly kill = (): void => {
    this.child.kill("SIGKILL");
  };

  readonly listen = (onBytes: (bytes: Buffer) => void, onExit: (exit: Exit) => void): void => {
    let exited: { code: number | null; signal: string | null } | null = null;
    let open = true;
    let reported = false;
    const report = (): void => {
      if (reported || exited === null) return;
      reported = true;
      onExit({ ...exited, output: this.printed.text() });
      this.socket.destroy();
    };
    this.socket.on("data", (bytes: Buffer) => {
      if (!reported) onBytes(bytes);
    });
    this.socket.on("close", () => {
      open = false;
      if (exited === null) this.kill();
      report();
    });
    this.child.on("error", (error) => {
      this.printed.push(Buffer.from(`the process could not be started: ${error.message}`));
      exited ??= { code: null, signal: null };
      report();
    });
    this.child.on("exit", (code, signal) => {
      exited = { code, signal };
      // Its last frames may still be on the way, and what it printed last (V8's words on memory) too.
      if (open || !this.drained()) setTimeout(report, LAST_FRAMES_MS).unref();
      else report();
      this.child.on("close", report);
    });
  };

  private drained(): boolean {
    return this.child.stdout?.readableEnded === true && this.child.stderr?.readableEnded === true;
  }
}
