import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openSqliteStore } from "./index.ts";
import { StoreChild } from "./testing-support/child.ts";
import { testDirectory } from "./testing-support/directories.ts";

const root = testDirectory();

describe("the lock", () => {
  it("S32: refuses a second open in the same process, naming directory and holder, and lets go at close", async () => {
    const directory = join(root, "same");
    const store = await openSqliteStore({ directory });
    const message = `${directory} is in use by another node (process ${process.pid})`;
    await expect(openSqliteStore({ directory })).rejects.toMatchObject({ code: "data_locked", message });
    // The refused open must not have taken the first one's lock away with it.
    await expect(openSqliteStore({ directory })).rejects.toMatchObject({ code: "data_locked" });
    await store.close();
    await (await openSqliteStore({ directory })).close();
  });

  it("S32: refuses a directory that another process holds, until that process is killed", async () => {
    const directory = join(root, "other");
    const child = new StoreChild("lock-child", directory);
    expect(await child.line()).toBe("open");
    await expect(openSqliteStore({ directory })).rejects.toMatchObject({ code: "data_locked" });
    await expect(openSqliteStore({ directory })).rejects.toThrow(`(process ${child.pid})`);
    await child.kill();
    const store = await openSqliteStore({ directory });
    expect(Number(readFileSync(join(directory, "node.pid"), "utf8"))).toBe(process.pid);
    await store.close();
  });

  it("S32: a process is refused a directory that this one holds, after a failed attempt of this one too", async () => {
    const directory = join(root, "mine");
    const store = await openSqliteStore({ directory });
    await expect(openSqliteStore({ directory })).rejects.toMatchObject({ code: "data_locked" });
    const child = new StoreChild("lock-child", directory);
    expect(await child.line()).toBe("data_locked");
    await store.close();
  });
});
