import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { aMember, anEvent, append, committed, set, T0 } from "../testing-support/contract/builders.ts";
import { openSqliteStore } from "./index.ts";
import { migrate, SCHEMA_VERSION } from "./schema.ts";
import { testDirectory } from "./testing-support/directories.ts";

const root = testDirectory();
const PAGE_BYTES = 4096;

/** A store with something in it, closed; returns its directory. */
async function filled(name: string): Promise<string> {
  const directory = join(root, name);
  const store = await openSqliteStore({ directory, durability: "off" });
  await append(
    store,
    Array.from({ length: 500 }, () => anEvent()),
  );
  await committed(store.commit(aMember({ kv: [set("a", 1)] })));
  await store.close();
  return directory;
}

describe("schema versions", () => {
  it("S33: a file from a newer Millrace is refused, untouched", async () => {
    const directory = await filled("newer");
    const file = join(directory, "millrace.db");
    const database = new DatabaseSync(file);
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    database.close();
    const before = readFileSync(file);
    await expect(openSqliteStore({ directory })).rejects.toMatchObject({ code: "data_newer" });
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it("S33: steps are taken forward from where the file stands, each once", () => {
    const database = new DatabaseSync(":memory:");
    const steps = ["CREATE TABLE one (n)", "INSERT INTO one VALUES (1)"];
    migrate(database, "f", steps.slice(0, 1));
    migrate(database, "f", steps);
    migrate(database, "f", steps);
    expect(database.prepare("SELECT count(*) AS count FROM one").get()?.["count"]).toBe(1);
    expect(database.prepare("PRAGMA user_version").get()?.["user_version"]).toBe(2);
    database.close();
  });

  it("S33: a step that fails leaves the file as it was", () => {
    const database = new DatabaseSync(":memory:");
    const steps = ["CREATE TABLE one (n)", "CREATE TABLE two (n); CREATE TABLE one (n)"];
    expect(() => migrate(database, "f", steps)).toThrow("one");
    expect(database.prepare("PRAGMA user_version").get()?.["user_version"]).toBe(1);
    expect(database.prepare("SELECT name FROM sqlite_schema").all()).toHaveLength(1);
    database.close();
  });
});

describe("files", () => {
  it("S34: are for this user alone", async () => {
    const directory = join(root, "modes");
    const store = await openSqliteStore({ directory });
    await store.acquire("n");
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    for (const file of ["millrace.db", "millrace.db-wal", "millrace.db-shm", "lock.db", "node.pid"]) {
      expect([file, statSync(join(directory, file)).mode & 0o777]).toEqual([file, 0o600]);
    }
    await store.close();
  });

  it("S34: a file that is no database is damaged, and named", async () => {
    const directory = join(root, "garbage");
    mkdirSync(directory);
    const file = join(directory, "millrace.db");
    writeFileSync(file, "this is a letter to my aunt. ".repeat(1000));
    await expect(openSqliteStore({ directory })).rejects.toMatchObject({
      code: "data_corrupt",
      message: expect.stringContaining(file) as string,
    });
  });

  it("S34: a file whose pages are damaged is refused", async () => {
    const directory = await filled("damaged");
    const file = join(directory, "millrace.db");
    const bytes = readFileSync(file);
    // The first pages hold the schema; everything behind them is overwritten.
    bytes.fill(0xaa, 8 * PAGE_BYTES);
    writeFileSync(file, bytes);
    await expect(openSqliteStore({ directory })).rejects.toMatchObject({ code: "data_corrupt" });
  });

  it("S34: damage in one table leaves the store open, and is reported where it is met", async () => {
    const directory = await filled("half");
    const file = join(directory, "millrace.db");
    const database = new DatabaseSync(file);
    const root = Number(database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'kv'").get()?.["rootpage"]);
    database.close();
    const bytes = readFileSync(file);
    bytes.fill(0xaa, (root - 1) * PAGE_BYTES, root * PAGE_BYTES);
    writeFileSync(file, bytes);
    const store = await openSqliteStore({ directory });
    await expect(store.kvGet(["a"], T0)).rejects.toMatchObject({ code: "data_corrupt" });
    await expect(store.commit(aMember({ kv: [set("a", 2)] }))).rejects.toMatchObject({ code: "data_corrupt" });
    expect(store.health()).toMatchObject({ state: "failing", error: { code: "data_corrupt" } });
    await store.close();
  });

  it("S34: a directory that cannot be made or written is unwritable", async () => {
    const file = join(root, "a-file");
    writeFileSync(file, "");
    await expect(openSqliteStore({ directory: join(file, "below") })).rejects.toMatchObject({ code: "data_unwritable" });
    await expect(openSqliteStore({ directory: file })).rejects.toMatchObject({ code: "data_unwritable" });
    await expect(openSqliteStore({ directory: "/proc/millrace" })).rejects.toMatchObject({ code: "data_unwritable" });
  });
});
