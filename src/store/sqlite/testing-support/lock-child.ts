/** Holds the directory until it is killed, or says why it cannot. */
import { writeSync } from "node:fs";
import { MillraceError } from "../../../core/index.ts";
import { openSqliteStore } from "../index.ts";

try {
  const store = await openSqliteStore({ directory: process.argv[2] ?? "" });
  await store.acquire("child");
  writeSync(1, "open\n");
} catch (error) {
  writeSync(1, `${error instanceof MillraceError ? error.code : String(error)}\n`);
}
