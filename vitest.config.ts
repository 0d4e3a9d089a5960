import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

const source = { conditions: ["millrace/source", "node"] };

/** Their code keeps something for the whole of its process (the events that an app declares, the console), so each file has one. */
const APART = ["src/sdk/**/*.test.ts", "src/sandbox/**/*.test.ts"];
/** Start whole nodes, and last longest. */
const NODES = ["test/process/**/*.test.ts", "test/docs/**/*.test.ts", "examples/**/*.test.ts", "src/testing/**/*.test.ts"];

export default defineConfig({
  resolve: source,
  ssr: { resolve: source },
  test: {
    execArgv: ["--conditions=millrace/source", "--disable-warning=ExperimentalWarning"],
    // Threads and processes that tests start load the same TypeScript over and over.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), "millrace-compile-cache") },
    pool: "forks",
    // Tests wait for nodes, kills and the disk for four tenths of their time.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    testTimeout: 30_000,
    // Files begin in the order of these names, and what begins last should be short. A process for each file costs half a second of
    // a processor, 150 times; and what a process finds out once (which walls stand) is found out again.
    projects: [
      { extends: true, test: { name: "apart", include: APART } },
      { extends: true, test: { name: "nodes", include: NODES, isolate: false } },
      {
        extends: true,
        test: { name: "rooms", include: ["src/**/*.test.ts", "test/**/*.test.ts"], exclude: [...APART, ...NODES], isolate: false },
      },
    ],
  },
});
