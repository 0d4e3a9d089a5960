/** Holds the directory until it is killed. */
import { writeSync } from "node:fs";
import { openSqliteStore } from "../index.ts";

const store = await openSqliteStore({ directory: process.argv[2] ?? "" });
await store.acquire("child");
writeSync(1, "open\n");
