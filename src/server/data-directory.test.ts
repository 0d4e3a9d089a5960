import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NODE_FILE, TOKEN_FILE } from "../control/client/index.ts";
import { announceNode, keepControlToken, withdrawNode } from "./data-directory.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "millrace-data-"));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

async function modeOf(name: string): Promise<string> {
  return ((await stat(join(directory, name))).mode & 0o777).toString(8);
}

describe("the data directory", () => {
  it("keeps the token that the first start made, for its owner alone", async () => {
    const first = await keepControlToken(directory, null);
    expect(first).toMatch(/^[\w-]{43}$/);
    expect(await keepControlToken(directory, null)).toBe(first);
    expect(await readFile(join(directory, TOKEN_FILE), "utf8")).toBe(`${first}\n`);
    expect(await modeOf(TOKEN_FILE)).toBe("600");
  });

  it("closes a token file that others could read, also one that a crash left half made", async () => {
    await writeFile(join(directory, TOKEN_FILE), "kept\n", { mode: 0o644 });
    expect(await keepControlToken(directory, null)).toBe("kept");
    expect(await modeOf(TOKEN_FILE)).toBe("600");
    const half = join(directory, `${NODE_FILE}.${process.pid}.new`);
    await writeFile(half, "half");
    await chmod(half, 0o644);
    await announceNode(directory, { gateway: "http://g", control: "http://c", pid: 1 });
    expect(await modeOf(NODE_FILE)).toBe("600");
  });

  it("takes a configured token, so that the CLI finds it", async () => {
    await keepControlToken(directory, null);
    expect(await keepControlToken(directory, "mine")).toBe("mine");
    expect(await readFile(join(directory, TOKEN_FILE), "utf8")).toBe("mine\n");
  });

  it("does not make a new token when the old one cannot be read", async () => {
    await mkdir(join(directory, TOKEN_FILE));
    await expect(keepControlToken(directory, null)).rejects.toMatchObject({ code: "EISDIR" });
  });

  it("tells where the node is while it runs, whole and for its owner alone", async () => {
    const node = { gateway: "http://127.0.0.1:1", control: "http://127.0.0.1:2", pid: 7 };
    await announceNode(directory, node);
    expect(JSON.parse(await readFile(join(directory, NODE_FILE), "utf8"))).toEqual(node);
    expect(await modeOf(NODE_FILE)).toBe("600");
    await withdrawNode(directory);
    await withdrawNode(directory);
    expect(await readdir(directory)).toEqual([]);
  });
});
