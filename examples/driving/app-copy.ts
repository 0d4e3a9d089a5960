import { rmSync } from "node:fs";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onLeave } from "./on-leave.ts";

/** A copy of an app whose `.env.local` has these variables: functions see their app's files and nothing of the node's environment. */
export async function copyApp(
  app: URL,
  variables: Readonly<Record<string, string>>,
): Promise<{ readonly folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-app-"));
  const stays = onLeave(() => rmSync(folder, { recursive: true, force: true }));
  await cp(fileURLToPath(app), folder, { recursive: true });
  await writeFile(
    join(folder, ".env.local"),
    Object.entries(variables).map(([name, value]) => `${name}=${value}\n`),
  );
  return {
    folder,
    async [Symbol.asyncDispose]() {
      stays();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
