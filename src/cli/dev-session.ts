import { watchApp } from "../releases/index.ts";
import type { MillraceNode, Settings } from "../server/index.ts";
import type { DevVoice } from "./dev-voice.ts";
import type { Io } from "./io.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import { serve } from "./serving.ts";

/** Serves an app and reloads it as it changes, until Ctrl-C. */
export async function develop(appDirectory: string, settings: Settings, voice: DevVoice, io: Io): Promise<void> {
  const startedMs = io.now();
  const options = { appDirectory, settings, reloads: true, onLog: (logLine: Parameters<DevVoice["logged"]>[0]) => voice.logged(logLine) };
  await serve(options, io, async (node, interrupted) => {
    const changes = new Set<string>();
    const app = new DevelopedApp(node, voice, io, (inputs) => watcher.follow(inputs));
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
      voice.serving(node, io.now() - startedMs);
      await interrupted;
    } finally {
      watcher.stop();
      await reloads.end();
    }
  });
}

/** A load that fails is no reason to end: whoever develops the app is about to mend it. */
class DevelopedApp {
  private readonly node: MillraceNode;
  private readonly voice: DevVoice;
  private readonly io: Io;
  private readonly onLoaded: (inputs: readonly string[]) => void;
  private isBroken = false;

  constructor(node: MillraceNode, voice: DevVoice, io: Io, onLoaded: (inputs: readonly string[]) => void) {
    this.node = node;
    this.voice = voice;
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
      this.voice.failed(error, this.node.liveRelease);
      this.isBroken = true;
      return false;
    }
  }

  async reload(changed: readonly string[]): Promise<void> {
    const { io, node, isBroken } = this;
    const startedMs = io.now();
    const before = node.liveRelease;
    if (!(await this.load())) return;
    const after = node.liveRelease;
    if (after === null || (after.id === before?.id && !isBroken)) return;
    this.voice.reloaded(after, before, changed, io.now() - startedMs);
  }
}
