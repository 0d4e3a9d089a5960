import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { constants } from "node:os";
import type { Grant } from "../protocol/manifest.ts";
import { describeLaunch, groupLimitBytes, killLaunch, type MemoryGroup, type MemoryGroups, startLaunch, type Wall } from "./jail/index.ts";
import { OutputRing } from "./output-ring.ts";
import { onlyDescendant } from "./process-usage.ts";

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
  /** It was killed, and the kernel says that it kills there for want of memory. A child of it that went so is its own affair. */
  readonly ranOut?: boolean;
}

/** The edge between the pool and a process. Tests put a scripted peer in its place. */
export interface InstanceProcess {
  /** What it reads it cannot write, whatever it may run, and its tmp is no larger than it may be. */
  readonly jailed?: boolean;
  /** Of Node itself, which may stand behind others; 0 while it is not there. */
  readonly pid: number;
  /** Bytes of frames, to the process. */
  readonly write: (bytes: Buffer) => void;
  /** Called once Node is up and before it has any of the app's code. */
  readonly confine?: () => void;
  /** Ends it at once (SIGKILL). */
  readonly kill: () => void;
  /** Given once, right after the start. `onBytes` is not called after `onExit`. */
  readonly listen: (onBytes: (bytes: Buffer) => void, onExit: (exit: Exit) => void, onPrinted?: OnPrinted) => void;
}

export type PrintedStream = "stdout" | "stderr";
/** What the process, or a child of it, wrote to a standard stream past its `console`. False: the stream is to be closed. */
export type OnPrinted = (stream: PrintedStream, piece: Buffer) => boolean;

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
    for (const each of alive) killLaunch(each);
  });
}

/** `groups`: null where the machine has none for us; then memory is watched. */
export function nodeSpawner(runtimeFile: string, wall: Wall, groups: MemoryGroups | null): SpawnInstance {
  return (instanceClass, directory) => {
    const group = groups?.make(groupLimitBytes(instanceClass)) ?? null;
    const launch = describeLaunch(wall, instanceClass, directory, runtimeFile);
    const child = startLaunch(launch, directory);
    killWithNode(child);
    return new ChildInstance(child, launch.wrappers, wall.name === "jail", group);
  };
}

class ChildInstance implements InstanceProcess {
  private readonly child: ChildProcess;
  private readonly wrappers: number;
  private readonly socket: Socket;
  private readonly printed = new OutputRing();
  private nodePid: number | null = null;
  readonly jailed: boolean;
  private readonly group: MemoryGroup | null;

  constructor(child: ChildProcess, wrappers: number, jailed: boolean, group: MemoryGroup | null) {
    this.child = child;
    this.group = group;
    this.jailed = jailed;
    this.wrappers = wrappers;
    this.socket = child.stdio[3] as Socket;
    // Writing to a process that has just ended is no news: its exit is reported.
    this.socket.on("error", () => {});
  }

  get pid(): number {
    this.nodePid ??= onlyDescendant(this.child.pid ?? 0, this.wrappers);
    return this.nodePid ?? 0;
  }

  readonly write = (bytes: Buffer): void => {
    if (this.socket.writable) this.socket.write(bytes);
  };

  readonly confine = (): void => {
    if (this.group === null || this.pid === 0) return;
    try {
      this.group.admit(this.pid);
    } catch {
      // It has just ended.
    }
  };

  readonly kill = (): void => {
    killLaunch(this.child);
  };

  readonly listen = (onBytes: (bytes: Buffer) => void, onExit: (exit: Exit) => void, onPrinted?: OnPrinted): void => {
    this.drain("stdout", onPrinted);
    this.drain("stderr", onPrinted);
    let exited: { code: number | null; signal: string | null } | null = null;
    let open = true;
    let reported = false;
    const report = (): void => {
      if (reported || exited === null) return;
      reported = true;
      onExit({ ...exited, output: this.printed.text(), ranOut: exited.signal === "SIGKILL" && this.group?.ranOut === true });
      this.group?.remove();
      this.socket.destroy();
      // Whoever got away from its group may hold them open.
      this.child.stdout?.destroy();
      this.child.stderr?.destroy();
    };
    this.socket.on("data", (bytes: Buffer) => {
      if (!reported) onBytes(bytes);
    });
    this.socket.on("close", () => {
      open = false;
      // It has ended, most likely, and how is about to be told; one that only closed its connection is of no use to anybody.
      if (exited === null) setTimeout(this.kill, LAST_FRAMES_MS).unref();
      report();
    });
    this.child.on("error", (error) => {
      this.printed.push(Buffer.from(`the process could not be started: ${error.message}`));
      exited ??= { code: null, signal: null };
      report();
    });
    this.child.on("exit", (code, signal) => {
      exited = this.wrappers > 0 && code !== null ? unwrapped(code) : { code, signal };
      // Its last frames may still be on the way, and what it printed last (V8's words on memory) too.
      if (open || !this.drained()) setTimeout(report, LAST_FRAMES_MS).unref();
      else report();
      this.child.on("close", report);
    });
  };

  /** Always read, so that nobody ever blocks on a full pipe; and what is not taken is closed, so that a flood costs its writer alone. */
  private drain(name: PrintedStream, onPrinted: OnPrinted = () => true): void {
    const stream = this.child[name];
    stream?.on("data", (piece: Buffer) => {
      this.printed.push(piece);
      if (!onPrinted(name, piece)) stream.destroy();
    });
    stream?.on("error", () => {});
  }

  private drained(): boolean {
    return this.child.stdout?.readableEnded === true && this.child.stderr?.readableEnded === true;
  }
}

/** A wrapper tells the end of its child as a shell does: 128 and the number of the signal. */
function unwrapped(code: number): { code: number | null; signal: string | null } {
  const signal = Object.entries(constants.signals).find(([, number]) => number === code - 128);
  return signal === undefined ? { code, signal: null } : { code: null, signal: signal[0] };
}
