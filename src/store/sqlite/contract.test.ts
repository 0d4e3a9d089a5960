import { join } from "node:path";
import { storeContract } from "../testing-support/contract-suite.ts";
import { openSqliteStore } from "./index.ts";
import { testDirectory } from "./testing-support/directories.ts";

const root = testDirectory();

// Without syncs: durability is what the crash test is for, and a hundred tests sync a lot.
storeContract("SQLite", ({ place }) => openSqliteStore({ directory: join(root, place), durability: "off" }));
