import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rival } from "../rivals.ts";
import type { Contender } from "./contender.ts";
import { answerOfNewcomer } from "./first-answer.ts";
import { freePort } from "./workerd.ts";

export const functionsFramework: Contender = {
  name: "functions-framework process",
  what: "a fresh process of @google-cloud/functions-framework, from its start to its first answer",
  async open() {
    const folder = rival("@google-cloud/functions-framework");
    if (folder === null) throw new Error("@google-cloud/functions-framework is not installed");
    const app = mkdtempSync(join(tmpdir(), "millrace-bench-functions-"));
    writeFileSync(join(app, "index.js"), `exports.hello = (request, response) => response.send("cold");`);
    const port = await freePort();
    return {
      async once() {
        const startMs = performance.now();
        const args = [join(folder, "build/src/main.js"), "--target=hello", `--source=${app}`, `--port=${port}`, "--host=127.0.0.1"];
        const child = spawn(process.execPath, args, { stdio: "ignore", env: { PATH: process.env["PATH"] ?? "" } });
        const gone = new Promise((resolve) => child.once("exit", resolve));
        try {
          await answerOfNewcomer(port, "/");
          return performance.now() - startMs;
        } finally {
          child.kill("SIGKILL");
          await gone;
        }
      },
      close: async () => rmSync(app, { recursive: true, force: true }),
    };
  },
};
