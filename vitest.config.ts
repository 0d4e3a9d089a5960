import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

const source = { conditions: ["millrace/source", "node"] };

export default defineConfig({
  resolve: source,
  ssr: { resolve: source },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts"],
    execArgv: ["--conditions=millrace/source", "--disable-warning=ExperimentalWarning"],
    // Threads and processes that tests start load the same TypeScript over and over.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), "millrace-compile-cache") },
    pool: "forks",
    testTimeout: 30_000,
  },
});
