import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { testApp, type TestApp } from "../../src/testing/index.ts";

/** What the functions log: a word, and the folder of their instance. */
const lines: string[] = [];
let app: TestApp;
beforeAll(async () => {
  app = await testApp(join(import.meta.dirname, "faults-app"), { onLog: ({ text }) => lines.push(text) });
}, 60_000);
afterAll(() => app.stop());

/** The process that said this word last, once `count` have. */
async function processOf(word: string, count = 1): Promise<number> {
  const said = (): string[] => lines.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1).trim()] : []));
  await expect.poll(said, { timeout: 10_000 }).toHaveLength(count);
  return instanceIn(said().at(-1) ?? "");
}

/** The instance of that folder, whose number outside is not the one that a jail shows it: Node's permissions name the folder. */
function instanceIn(folder: string): number {
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const [program = "", ...options] = commandLine(name);
    if (!program.endsWith("/bwrap") && options.includes(`--allow-fs-write=${folder}/tmp`)) return Number(name);
  }
  throw new Error(`no instance runs in ${folder}`);
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

/** What says that the function's instance is gone: its status, its code, and whether header and body name one invocation. */
async function crashOf(call: Promise<Response>): Promise<unknown> {
  const answer = await call;
  const { error } = (await answer.json()) as { error: { code: string; invocation: string } };
  return [answer.status, error.code, error.invocation !== "" && error.invocation === answer.headers.get("millrace-invocation")];
}

const CRASH = [502, "function_crashed", true];

it("D30, G18: a call whose instance is killed is 502 with its invocation", async () => {
  const call = app.request("/waits/post", { method: "POST" });
  process.kill(await processOf("post"), "SIGKILL");
  expect(await crashOf(call)).toEqual(CRASH);
  await app.kv.set("post", 1);
  expect(await (await app.request("/waits/post", { method: "POST" })).text()).toBe("done after post");
});

it.each(["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])("D30: a killed %s runs once more in another instance", async (method) => {
  const key = method.toLowerCase();
  const call = app.request(`/waits/${key}`, { method });
  const pid = await processOf(key);
  await app.kv.set(key, 1);
  process.kill(pid, "SIGKILL");
  const answer = await call;
  expect([answer.status, await answer.text()]).toEqual([200, method === "HEAD" ? "" : `done after ${key}`]);
});

it("D30: killed a second time it is 502", async () => {
  const call = app.request("/waits/twice");
  const first = await processOf("twice");
  process.kill(first, "SIGKILL");
  const second = await processOf("twice", 2);
  expect(second).not.toBe(first);
  process.kill(second, "SIGKILL");
  expect(await crashOf(call)).toEqual(CRASH);
});

it("D30: only the calls in flight in that instance are touched", async () => {
  const calls = ["a1", "a2", "a3"].map((key) => app.request(`/waits/${key}`));
  const [pid, ...others] = [await processOf("a1"), await processOf("a2"), await processOf("a3")];
  expect(others).toEqual([pid, pid]);
  for (const key of ["a1", "a2", "a3"]) await app.kv.set(key, 1);
  process.kill(pid, "SIGKILL");
  expect(await Promise.all(calls.map(async (call) => (await call).text()))).toEqual(["done after a1", "done after a2", "done after a3"]);
});

it("D30: what ends its own instance is not tried again", async () => {
  expect(await crashOf(app.request("/exits"))).toEqual(CRASH);
  expect(lines.filter((line) => line.startsWith("exits "))).toHaveLength(1);
});

it("D30: an instance that is killed while it loads is 502 as well", async () => {
  const call = app.request("/loads");
  process.kill(await processOf("load"), "SIGKILL");
  expect(await crashOf(call)).toEqual(CRASH);
});

it("G17: killed in mid-answer, the connection breaks: half an answer is no answer", async () => {
  const answer = await app.request("/flows");
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe("the beginning");
  process.kill(await processOf("flow"), "SIGKILL");
  await expect(reader.read()).rejects.toThrow("terminated");
});

it("D20: an event whose instance is killed is tried again", async () => {
  await app.emit("woken");
  process.kill(await processOf("event"), "SIGKILL");
  await app.settled();
  await app.advance("1h");
  expect((await app.emitted("woken.done")).map(({ data }) => data)).toEqual([{ attempt: 2 }]);
});
