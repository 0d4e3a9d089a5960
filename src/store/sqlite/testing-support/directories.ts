import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A directory for the tests of one file, gone after them. */
export function testDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "millrace-store-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
