import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findNode, NODE_FILE, TOKEN_FILE } from "./find-node.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "millrace-find-"));
});
afterEach(() => rm(directory, { recursive: true }));

async function leave(node: string): Promise<void> {
  await writeFile(join(directory, NODE_FILE), node);
  await writeFile(join(directory, TOKEN_FILE), "secret\n");
}

describe("C14: finding a node by its data directory", () => {
  it("C14: gives the address and the token of a node that lives", async () => {
    await leave(JSON.stringify({ gateway: "http://g", control: "http://c", pid: process.pid }));
    expect(await findNode(directory)).toEqual({ url: "http://c", token: "secret" });
  });

  it("C14: says that none runs, and how to start one", async () => {
    await expect(findNode(directory)).rejects.toMatchObject({
      code: "unreachable",
      message: `no node runs on the data directory ${directory}`,
    });
    await leave(JSON.stringify({ gateway: "http://g", control: "http://c", pid: 2 ** 30 }));
    await expect(findNode(directory)).rejects.toMatchObject({ code: "unreachable", message: expect.stringContaining("has ended") });
  });

  it("C14: says that the file is damaged", async () => {
    for (const text of ["{", "null", "{}", '{"control":1}']) {
      await leave(text);
      await expect(findNode(directory)).rejects.toMatchObject({ code: "unreachable", message: expect.stringContaining("damaged") });
    }
  });
});
