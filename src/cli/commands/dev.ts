import { resolve } from "node:path";
import { formatDuration } from "../../core/duration.ts";
import { watchApp } from "../../releases/index.ts";
import type { MillraceNode } from "../../server/index.ts";
import { defineCommand } from "../command.ts";
import { type Io, line, note } from "../io.ts";
import { OneAtATime } from "../one-at-a-time.ts";
import { showError } from "../report-error.ts";
import { readSettings, SETTING_OPTIONS } from "../serve-options.ts";
import { serve, showFunctions, showServing } from "../serving.ts";
import { showLogLine } from "../show-log.ts";

export const dev = defineCommand({
  name: "dev",
  summary: "Serve an app, and reload what changes",
  details: "While a changed file does not load, the last good version goes on serving. Log lines are shown as they come.",
  args: [{ name: "DIR", summary: "The app (default: this folder)", kind: "optional" }],
  options: SETTING_OPTIONS,
  examples: [
    { line: "millrace dev", says: "the app in this folder, at localhost:4800" },
    { line: "millrace dev shop --port 5000", says: "another app, another port" },
  ],
  async run({ args: [given = "."], options, io }) {
    const startedMs = io.now();
    const appDirectory = resolve(io.cwd, given);
    const onLog = (logLine: Parameters<typeof showLogLine>[0]): void => line(io, showLogLine(logLine, io.outColors));
    await serve({ appDirectory, settings: readSettings(options, io), onLog }, io, async (node, interrupted) => {
      const changes = new Set<string>();
      const reloads = new OneAtATime(async () => {
        const changed = [...changes];
        changes.clear();
        const inputs = await reload(node, changed, io);
        if (inputs !== undefined) watcher.follow(inputs);
      });
      // Watched before it is read for the first time: what changes meanwhile is read again.
      const watcher = watchApp(appDirectory, (changed) => {
        for (const path of changed) changes.add(path);
        reloads.ask();
      });
      try {
        await firstLoad(node, io, (inputs) => watcher.follow(inputs));
        showServing(node, node.liveRelease, io.now() - startedMs, io);
        await interrupted;
      } finally {
        watcher.stop();
        await reloads.end();
      }
    });
  },
});

/** In dev an app that does not load is no reason to end: whoever develops it is about to mend it. */
async function firstLoad(node: MillraceNode, io: Io, loaded: (inputs: readonly string[]) => void): Promise<void> {
  try {
    loaded((await node.reload()).inputs);
  } catch (error) {
    showError(error, false, io);
  }
}

/** The files that the new release was made of, or undefined when it did not load. */
async function reload(node: MillraceNode, changed: readonly string[], io: Io): Promise<readonly string[] | undefined> {
  const startedMs = io.now();
  const before = node.liveRelease;
  try {
    const { release, inputs } = await node.reload();
    if (release.id === before?.id) return inputs;
    line(io, `${io.outColors.green("reloaded")} in ${formatDuration(io.now() - startedMs)} ${io.outColors.dim(changed.join(", "))}`);
    if (namesOf(release) !== namesOf(before)) showFunctions(release, io);
    return inputs;
  } catch (error) {
    showError(error, false, io);
    if (before !== null) note(io, io.errColors.dim("the last good version goes on serving"));
    return undefined;
  }
}

function namesOf(release: MillraceNode["liveRelease"]): string {
  return JSON.stringify(release?.manifest.functions.map(({ name, triggers }) => [name, triggers]));
}
