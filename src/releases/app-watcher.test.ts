import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type AppWatcher, watchApp } from "./app-watcher.ts";
import { temporaryApp, writeApp } from "./testing-support/temporary-app.ts";

/** A watcher whose tidings can be waited for, path by path. */
function watching(app: string): { watcher: AppWatcher; told: (path: string) => Promise<string>; all: Set<string> } {
  const all = new Set<string>();
  const waiting = new Map<string, () => void>();
  const watcher = watchApp(app, (changed) => {
    for (const path of changed) {
      all.add(path);
      waiting.get(path)?.();
    }
  });
  onTestFinished(() => watcher.stop());
  const told = (path: string): Promise<string> =>
    all.has(path) ? Promise.resolve(path) : new Promise((resolve) => waiting.set(path, () => resolve(path)));
  return { watcher, told, all };
}

describe("R13: the watcher", () => {
  it("tells of functions, variables, public files and sources, not of the rest", async () => {
    const app = await temporaryApp({
      "functions/a.ts": "",
      "public/index.html": "",
      "lib/deep/b.ts": "",
      "notes.md": "",
      "node_modules/p/index.js": "",
      ".millrace/db": "",
    });
    const { told, all } = watching(app);
    await writeApp(app, { "notes.md": "x", "node_modules/p/index.js": "x", ".millrace/db": "x" });
    await writeApp(app, { "functions/a.ts": "x", "public/index.html": "x", "lib/deep/b.ts": "x", ".env.local": "A=1" });
    await Promise.all(["functions/a.ts", "public/index.html", "lib/deep/b.ts", ".env.local"].map(told));
    expect([...all].sort()).toEqual([".env.local", "functions/a.ts", "lib/deep/b.ts", "public/index.html"]);
  });

  it("tells of files in new, moved and replaced folders", async () => {
    const app = await temporaryApp({ "functions/a.ts": "" });
    const { told, all } = watching(app);
    await writeApp(app, { "functions/new/deep/b.ts": "" });
    await told("functions/new/deep/b.ts");
    await rename(join(app, "functions/new"), join(app, "functions/moved"));
    await told("functions/moved/deep/b.ts");
    await rm(join(app, "functions/moved"), { recursive: true });
    await told("functions/moved");
    all.clear();
    await writeApp(app, { "functions/moved/deep/b.ts": "again" });
    expect(await told("functions/moved/deep/b.ts")).toBe("functions/moved/deep/b.ts");
  });

  it("tells of an editor's save by rename", async () => {
    const app = await temporaryApp({ "functions/a.ts": "" });
    const { told } = watching(app);
    await writeFile(join(app, "functions/a.ts.swap"), "x");
    await rename(join(app, "functions/a.ts.swap"), join(app, "functions/a.ts"));
    expect(await told("functions/a.ts")).toBe("functions/a.ts");
  });

  it("follows what the bundle was made from, outside the app too", async () => {
    const root = await temporaryApp({ "app/functions/a.ts": "", "app/text.md": "", "shared/b.ts": "", "shared/c.ts": "" });
    const { watcher, told, all } = watching(join(root, "app"));
    watcher.follow([join(root, "app/text.md"), join(root, "shared/b.ts")]);
    await writeApp(root, { "shared/c.ts": "x", "app/text.md": "x", "shared/b.ts": "x" });
    await Promise.all([told("text.md"), told("../shared/b.ts")]);
    expect([...all].sort()).toEqual(["../shared/b.ts", "text.md"]);
  });

  it("is silent once stopped", async () => {
    const app = await temporaryApp({ "functions/a.ts": "" });
    const stopped = watching(app);
    const other = watching(app);
    stopped.watcher.stop();
    await writeApp(app, { "functions/a.ts": "x" });
    await other.told("functions/a.ts");
    expect(stopped.all.size).toBe(0);
  });

  it("opens nothing once stopped, or the process would never end", async () => {
    const root = await temporaryApp({ "app/functions/a.ts": "", "shared/b.ts": "" });
    const open = (): number => process.getActiveResourcesInfo().filter((name) => name === "FSEventWrap").length;
    const before = open();
    const { watcher } = watching(join(root, "app"));
    expect(open()).toBeGreaterThan(before);
    watcher.stop();
    watcher.follow([join(root, "shared/b.ts")]);
    await expect.poll(open).toBe(before);
  });
});
