import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { rival } from "../rivals.ts";
import type { Contender } from "./contender.ts";

/** What of the runner is called, by its own names. */
interface Runner {
  run(event: object, context: object): Promise<unknown>;
  cleanup(): Promise<unknown>;
}
type RunnerClass = new (options: object, env: object) => Runner;

export const serverlessOffline: Contender = {
  name: "serverless-offline worker thread",
  what: "a fresh worker thread of serverless-offline and its first result; without its HTTP server, which would come on top",
  async open() {
    const folder = rival("serverless-offline");
    if (folder === null) throw new Error("serverless-offline is not installed");
    const file = join(folder, "src/lambda/handler-runner/worker-thread-runner/index.js");
    const { default: WorkerThreadRunner } = (await import(pathToFileURL(file).href)) as { default: RunnerClass };
    const app = mkdtempSync(join(tmpdir(), "millrace-bench-offline-"));
    writeFileSync(join(app, "handler.js"), `exports.hello = async () => ({ statusCode: 200, body: "cold" });`);
    writeFileSync(join(app, "package.json"), "{}");
    const options = { codeDir: app, functionKey: "hello", handler: "handler.hello", servicePath: app, timeout: 10_000 };
    return {
      async once() {
        const startMs = performance.now();
        const runner = new WorkerThreadRunner(options, {});
        const result = (await runner.run({}, {})) as { statusCode?: number };
        const tookMs = performance.now() - startMs;
        await runner.cleanup();
        if (result.statusCode !== 200) throw new Error(`the worker answered ${JSON.stringify(result)}`);
        return tookMs;
      },
      close: async () => rmSync(app, { recursive: true, force: true }),
    };
  },
};
