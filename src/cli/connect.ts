import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ControlClient, NODE_FILE } from "../control/client/index.ts";
import { SETTINGS } from "../server/settings.ts";
import type { Options } from "./command.ts";
import type { Io } from "./io.ts";

/** The options of every command that talks to a running node. */
export const NODE_OPTIONS = {
  data: { type: "string", value: "DIR", summary: "Data directory of the node (default: .millrace here or in a folder above)" },
} as const satisfies Options;

export const JSON_OPTION = {
  json: { type: "boolean", summary: "Print JSON: one document a line" },
} as const satisfies Options;

/** The node that a command means; throws `unreachable` with how to start one. */
export async function connect(options: { readonly data: string | undefined }, io: Io): Promise<ControlClient> {
  const named = options.data ?? (io.env[SETTINGS.data.variable] || undefined);
  return await ControlClient.open(named === undefined ? findData(io.cwd) : resolve(io.cwd, named));
}

/** As git finds its repository: in any folder of the app the commands mean its node. */
export function findData(cwd: string): string {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const data = join(folder, SETTINGS.data.standard);
    if (existsSync(join(data, NODE_FILE))) return data;
    if (dirname(folder) === folder) return join(cwd, SETTINGS.data.standard);
  }
}
