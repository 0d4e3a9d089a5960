import { formatDuration } from "../core/duration.ts";
import { watchApp } from "../releases/index.ts";
import type { MillraceNode, Settings } from "../server/index.ts";
import { type Io, line, note } from "./io.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import { showError } from "./report-error.ts";
import { serve, showFunctions, showServing } from "./serving.ts";
import { showLogLine } from "./show-log.ts";

/** Serves an app and reloads it as it changes, until Ctrl-C. */
export async function develop(appDirectory: string, settings: Settings, io: Io): Promise<void> {
  const startedMs = io.now();
  const onLog = (logLine: Parameters<typeof showLogLine>[0]): void => line(io, showLogLine(logLine, io.outColors));
  await serve({ appDirectory, settings, onLog }, io, async (node, interrupted) => {
    const changes = new Set<string>();
    const app = new DevelopedApp(node, io, (inputs) => watcher.follow(inputs));
    const reloads = new OneAtATime(() => {
      const changed = [...changes];
      changes.clear();
      return app.reload(changed);
    });
    // Watched before it is read for the first time: what changes meanwhile is read again.
    const watcher = watchApp(appDirectory, (changed) => {
      for (const path of changed) changes.add(path);
      reloads.ask();
    });
    try {
      await app.load();
      showServing(node, node.liveRelease, io.now() - startedMs, io);
      await interrupted;
    } finally {
      watcher.stop();
      await reloads.end();
    }
  });
}

/** What is said about each load: a failure is no reason to end, for whoever develops the app is about to mend it. */
class DevelopedApp {
  private readonly node: MillraceNode;
  private readonly io: Io;
  private readonly onLoaded: (inputs: readonly string[]) => void;
  private isBroken = false;

  constructor(node: MillraceNode, io: Io, onLoaded: (inputs: readonly string[]) => void) {
    this.node = node;
    this.io = io;
    this.onLoaded = onLoaded;
  }

  async load(): Promise<boolean> {
    try {
      const { inputs } = await this.node.reload();
      this.onLoaded(inputs);
      this.isBroken = false;
      return true;
    } catch (error) {
      showError(error, false, this.io);
      this.isBroken = true;
      return false;
    }
  }

  async reload(changed: readonly string[]): Promise<void> {
    const { io, node, isBroken } = this;
    const startedMs = io.now();
    const before = node.liveRelease;
    if (!(await this.load())) {
      if (before !== null) note(io, io.errColors.dim("the last good version goes on serving"));
      return;
    }
    const after = node.liveRelease;
    if (after === null || (after.id === before?.id && !isBroken)) return;
    line(io, `${io.outColors.green("reloaded")} in ${formatDuration(io.now() - startedMs)} ${io.outColors.dim(changed.join(", "))}`);
    if (triggersOf(after) !== triggersOf(before)) showFunctions(after, io);
  }
}

function triggersOf(release: MillraceNode["liveRelease"]): string {
  return JSON.stringify(release?.manifest.functions.map(({ name, triggers }) => [name, triggers]));
}
