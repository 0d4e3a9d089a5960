import { type Dirent, type FSWatcher, readdirSync, statSync, watch } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";

/** Changes that come together are told together; the first of them sets the time, so that a steady stream is told too. */
const TOGETHER_MS = 20;

const SOURCE = /\.(?:[cm]?[jt]sx?|json)$/;

/**
 * Says which files of an app changed, for `dev`. It watches folder by folder and not recursively by `fs.watch`, which
 * would take one watch for every folder in node_modules. Folders are read synchronously: between reading one and
 * watching it nothing may slip by.
 */
export class AppWatcher {
  private readonly appDirectory: string;
  private readonly onChange: (changed: readonly string[]) => void;
  private readonly watchers = new Map<string, FSWatcher>();
  private readonly changed = new Set<string>();
  private followed: ReadonlySet<string> = new Set();
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(appDirectory: string, onChange: (changed: readonly string[]) => void) {
    this.appDirectory = resolve(appDirectory);
    this.onChange = onChange;
    this.watchTree(this.appDirectory);
  }

  /** Names the files the bundle was made from: those outside the app, or of unusual kinds, count from now on too. */
  follow(inputs: readonly string[]): void {
    this.followed = new Set(inputs);
    for (const input of inputs) if (!input.split(sep).includes("node_modules")) this.watchFolder(dirname(input));
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    for (const watcher of this.watchers.values()) watcher.close();
    this.watchers.clear();
  }

  private watchTree(directory: string): void {
    if (!this.watchFolder(directory)) return;
    for (const entry of readFolder(directory)) {
      if (entry.isDirectory() && !isIgnored(entry.name)) this.watchTree(join(directory, entry.name));
    }
  }

  /** False when it is gone already, or nobody wants to know any more: a load that was under way at the stop names its files after it. */
  private watchFolder(directory: string): boolean {
    if (this.stopped) return false;
    if (this.watchers.has(directory)) return true;
    try {
      const watcher = watch(directory, (change, name) => this.note(directory, change, name));
      watcher.on("error", () => this.unwatch(directory));
      this.watchers.set(directory, watcher);
      return true;
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
      throw error;
    }
  }

  private note(directory: string, change: "rename" | "change", name: string | null): void {
    if (this.stopped || name === null) return;
    const path = join(directory, name);
    if (change === "rename" && this.isInApp(path) && !isIgnored(name)) this.renew(path);
    if (!this.matters(path)) return;
    this.changed.add(relative(this.appDirectory, path).replaceAll(sep, "/"));
    this.timer ??= setTimeout(() => this.tell(), TOGETHER_MS);
  }

  /** A folder that came brings files nobody was told of; one that went, or was replaced, leaves watches that see nothing. */
  private renew(path: string): void {
    for (const watched of this.watchers.keys()) if (watched === path || watched.startsWith(path + sep)) this.unwatch(watched);
    if (!isFolder(path)) return;
    this.watchTree(path);
    for (const { name } of readFolder(path)) this.note(path, "rename", name);
  }

  private unwatch(directory: string): void {
    this.watchers.get(directory)?.close();
    this.watchers.delete(directory);
  }

  private tell(): void {
    this.timer = undefined;
    const changed = [...this.changed].sort();
    this.changed.clear();
    this.onChange(changed);
  }

  private isInApp(path: string): boolean {
    return path.startsWith(this.appDirectory + sep);
  }

  private matters(path: string): boolean {
    if (this.followed.has(path)) return true;
    if (!this.isInApp(path)) return false;
    const parts = relative(this.appDirectory, path).split(sep);
    const [first = ""] = parts;
    if (parts.length === 1 && (first === ".env" || first.startsWith(".env."))) return true;
    if (parts.some(isIgnored)) return false;
    return first === "functions" || first === "public" || SOURCE.test(path);
  }
}

export function watchApp(appDirectory: string, onChange: (changed: readonly string[]) => void): AppWatcher {
  return new AppWatcher(appDirectory, onChange);
}

function isIgnored(name: string): boolean {
  return name.startsWith(".") || name === "node_modules";
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function readFolder(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}
