import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { storeContract } from "../contract-suite.ts";
import { openSqliteStore } from "./index.ts";

const root = mkdtempSync(join(tmpdir(), "millrace-store-"));
afterAll(() => rmSync(root, { recursive: true }));

// Without syncs: durability is what the crash test is for, and a hundred tests sync a lot.
storeContract("SQLite", ({ place }) => openSqliteStore({ directory: join(root, place), durability: "off" }));
