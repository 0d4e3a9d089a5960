import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { MillraceError } from "../../core/errors.ts";

/** What a running node leaves in its data directory for those who look for it. */
export const NODE_FILE = "node.json";
export const TOKEN_FILE = "control-token";

export interface NodeFile {
  readonly gateway: string;
  readonly control: string;
  readonly pid: number;
}

export interface ControlAddress {
  /** Such as `http://127.0.0.1:4801`. */
  readonly url: string;
  readonly token: string;
}

/** The address and the token of the node that runs on a data directory. */
export async function findNode(dataDirectory: string): Promise<ControlAddress> {
  const [file, token] = await Promise.all([read(join(dataDirectory, NODE_FILE)), read(join(dataDirectory, TOKEN_FILE))]);
  if (file === null || token === null) throw new MillraceError("unreachable", `no node runs on the data directory ${dataDirectory}`);
  const node = parse(file);
  if (node === undefined) throw new MillraceError("unreachable", `${join(dataDirectory, NODE_FILE)} is damaged`);
  if (!isAlive(node.pid))
    throw new MillraceError("unreachable", `no node runs on the data directory ${dataDirectory}: process ${node.pid} has ended`);
  return { url: node.control, token: token.trim() };
}

async function read(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isCode(error, "ENOENT") || isCode(error, "ENOTDIR")) return null;
    if (isCode(error, "EACCES")) throw new MillraceError("unauthorized", `${path} cannot be read by this user`, { cause: error });
    throw error;
  }
}

function parse(text: string): NodeFile | undefined {
  try {
    const value = JSON.parse(text) as Partial<NodeFile> | null;
    if (typeof value?.control !== "string" || typeof value.pid !== "number") return undefined;
    return { gateway: value.gateway ?? "", control: value.control, pid: value.pid };
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It lives, but belongs to somebody else.
    return isCode(error, "EPERM");
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
