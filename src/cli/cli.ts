import { COMMANDS } from "./commands/all.ts";
import { processIo } from "./process-io.ts";
import { run } from "./run.ts";
import { VERSION } from "../server/version.ts";

export async function main(argv: readonly string[]): Promise<number> {
  return await run(argv, COMMANDS, VERSION, processIo());
}
