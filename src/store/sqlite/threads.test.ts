import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { aMember, T0 } from "../testing-support/contract/builders.ts";
import { SqliteStore } from "./sqlite-store.ts";
import { testDirectory } from "./testing-support/directories.ts";
import { startThread } from "./threads.ts";

const root = testDirectory();

describe.each(["writer", "reader"] as const)("the %s's thread", (which) => {
  it("S36: when it dies, everything that waits and everything after is refused", async () => {
    mkdirSync(join(root, which));
    const data = { file: join(root, which, "millrace.db"), durability: "off", maxPages: null } as const;
    const threads = { writer: startThread("writer", data), reader: startThread("reader", data) };
    await once(threads.writer, "message");
    let released = false;
    const store = new SqliteStore(threads.writer, threads.reader, { release: () => (released = true) }, 0);
    await store.acquire("n");
    const waiting = Promise.allSettled([store.commit(aMember()), store.kvGet(["a"], T0), store.counts()]);
    void threads[which].terminate();
    await once(threads[which], "exit");
    const reasons = (await waiting).flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
    expect(reasons).toEqual(reasons.map(() => expect.objectContaining({ code: "internal" }) as unknown));
    await expect(store.commit(aMember())).rejects.toMatchObject({ code: "internal" });
    await expect(store.kvGet(["a"], T0)).rejects.toMatchObject({ code: "internal" });
    expect(store.health()).toMatchObject({ state: "failing", error: { code: "internal" } });
    await store.close();
    expect(released).toBe(true);
  });
});

it("S36: what the writer answers after the reader has died is dropped", async () => {
  mkdirSync(join(root, "late"));
  const data = { file: join(root, "late", "millrace.db"), durability: "off", maxPages: null } as const;
  const threads = { writer: startThread("writer", data), reader: startThread("reader", data) };
  await once(threads.writer, "message");
  let late: Promise<unknown> | undefined;
  // Heard before the store hears it: the commit is with the writer when the store learns that the reader is gone.
  threads.reader.once("exit", () => {
    late = Promise.allSettled([store.commit(aMember()), store.counts()]);
  });
  const store = new SqliteStore(threads.writer, threads.reader, { release: () => undefined }, 0);
  await store.acquire("n");
  const answered = once(threads.writer, "message");
  void threads.reader.terminate();
  await once(threads.reader, "exit");
  const refused = { status: "rejected", reason: expect.objectContaining({ code: "internal" }) as unknown };
  expect(await late).toEqual([refused, refused]);
  await answered;
  await store.close();
});
