import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { NodeProcess, pause } from "./node-process.ts";

/** `millrace dev`: what is saved is served, and nobody who asks meanwhile is turned away. */
const RELOADS = 10;

const source = (version: number): string => `import { fn, http } from "millrace";
export const version = fn({ on: http.get("/version") }, () => "${version}");
export const slow = fn({ on: http.get("/slow") }, async () => {
  await new Promise((resolve) => { setTimeout(resolve, 250); });
  return "${version}";
});
`;

it("a changed file is served, no call is dropped, and one that does not compile changes nothing", { timeout: 60_000 }, async () => {
  const app = mkdtempSync(join(tmpdir(), "millrace-dev-"));
  onTestFinished(() => rmSync(app, { recursive: true, force: true }));
  mkdirSync(join(app, "functions"));
  const file = join(app, "functions", "answers.ts");
  writeFileSync(file, source(0));
  const node = await NodeProcess.start(app, { command: "dev", data: join(app, ".millrace") });
  onTestFinished(() => node.stop());

  const callers = [new Caller(node, "/version"), new Caller(node, "/version"), new Caller(node, "/slow"), new Caller(node, "/slow")];
  const tookMs: number[] = [];
  for (let version = 1; version <= RELOADS; version++) {
    const savedMs = performance.now();
    writeFileSync(file, source(version));
    await served(node, String(version));
    tookMs.push(performance.now() - savedMs);
  }
  const failures = (await Promise.all(callers.map((caller) => caller.stop()))).flat();
  const calls = callers.reduce((sum, { calls }) => sum + calls, 0);
  tookMs.sort((a, b) => a - b);
  process.stdout.write(
    `dev: ${RELOADS} reloads, median ${Math.round(tookMs[RELOADS / 2] ?? 0)} ms from save to answer, ${calls} calls meanwhile\n`,
  );
  expect(failures).toEqual([]);
  expect(calls).toBeGreaterThan(RELOADS);

  writeFileSync(file, `${source(99)}export const = 3;\n`);
  const until = Date.now() + 10_000;
  while (!node.output.includes("functions/answers.ts:7:")) {
    if (Date.now() > until) throw new Error(`the fault was not named:\n${node.output}`);
    await pause(20);
  }
  expect(await (await fetch(`${node.gateway}/version`)).text()).toBe(String(RELOADS));

  writeFileSync(file, source(100));
  await served(node, "100");
});

async function served(node: NodeProcess, version: string, limitMs = 10_000): Promise<void> {
  const until = Date.now() + limitMs;
  while ((await (await fetch(`${node.gateway}/version`)).text()) !== version) {
    if (Date.now() > until) throw new Error(`version ${version} was not served within ${limitMs} ms:\n${node.output}`);
    await pause(5);
  }
}

/** Asks again and again; what went wrong is its result. */
class Caller {
  calls = 0;
  private readonly failures: string[] = [];
  private readonly work: Promise<void>;
  private stopping = false;

  constructor(node: NodeProcess, path: string) {
    this.work = this.run(node.gateway + path);
  }

  async stop(): Promise<string[]> {
    this.stopping = true;
    await this.work;
    return this.failures;
  }

  private async run(url: string): Promise<void> {
    for (let last = 0; !this.stopping; this.calls++) {
      try {
        const answer = await fetch(url);
        const text = await answer.text();
        if (answer.status !== 200) this.failures.push(`${url}: ${answer.status} ${text}`);
        else if (Number(text) < last) this.failures.push(`${url}: version ${text} after ${last}`);
        else last = Number(text);
      } catch (error) {
        this.failures.push(`${url}: ${String(error)}`);
      }
      await pause(5);
    }
  }
}
