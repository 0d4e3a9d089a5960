import { COMMANDS } from "./commands/index.ts";
import { processIo } from "./process-io.ts";
import { run } from "./run.ts";
import { packageVersion } from "./version.ts";

export async function main(argv: readonly string[]): Promise<number> {
  return await run(argv, COMMANDS, packageVersion(), processIo());
}
