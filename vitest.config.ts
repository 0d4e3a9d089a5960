import { defineConfig } from "vitest/config";

const source = { conditions: ["millrace/source", "node"] };

export default defineConfig({
  resolve: source,
  ssr: { resolve: source },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts"],
    execArgv: ["--conditions=millrace/source", "--disable-warning=ExperimentalWarning"],
    pool: "forks",
    testTimeout: 30_000,
  },
});
