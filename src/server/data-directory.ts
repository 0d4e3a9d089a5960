import { chmod, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { newSecret } from "../core/index.ts";
import { NODE_FILE, type NodeFile, TOKEN_FILE } from "../control/client/index.ts";

const RUN_SECRET_FILE = "callbacks.key";

/** The control token: what a person configured, else the one made at the first start. The file is what the CLI reads. */
export async function keepControlToken(directory: string, configured: string | null): Promise<string> {
  return await keepSecret(join(directory, TOKEN_FILE), configured);
}

async function keepSecret(path: string, configured: string | null): Promise<string> {
  const kept = await readFile(path, "utf8").then(
    (text) => text.trim(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    },
  );
  const token = configured ?? (kept === "" ? newSecret() : kept);
  if (token !== kept) await replacePrivately(path, `${token}\n`);
  // A file of an earlier copy or backup may have come back readable for others.
  await chmod(path, 0o600);
  return token;
}

/** What the tokens of callbacks are made from: it stays, so that their addresses do. */
export async function keepRunSecret(directory: string): Promise<string> {
  return await keepSecret(join(directory, RUN_SECRET_FILE), null);
}

/** Tells those who look for a running node where it is. */
export async function announceNode(directory: string, node: NodeFile): Promise<void> {
  await replacePrivately(join(directory, NODE_FILE), `${JSON.stringify(node, null, 2)}\n`);
}

export async function withdrawNode(directory: string): Promise<void> {
  await rm(join(directory, NODE_FILE), { force: true });
}

/** Whole or not at all, and never readable by others. */
async function replacePrivately(path: string, text: string): Promise<void> {
  const fresh = `${path}.${process.pid}.new`;
  // The mode holds for a file that is made, not for one that a crash left behind.
  await rm(fresh, { force: true });
  await writeFile(fresh, text, { mode: 0o600 });
  await rename(fresh, path);
}
