/** Holds the directory until it is killed, or says why it cannot. */
import { MillraceError } from "../../../core/index.ts";
import { openSqliteStore } from "../index.ts";
import { say } from "./say.ts";

try {
  const store = await openSqliteStore({ directory: process.argv[2] ?? "" });
  await store.acquire("child");
  say("open");
} catch (error) {
  say(error instanceof MillraceError ? error.code : String(error));
}
