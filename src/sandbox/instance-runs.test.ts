import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FLAG_LAST, FRAME } from "../protocol/frame.ts";
import type { RunHead } from "../protocol/messages.ts";
import { type Instance, load, Workshop } from "./testing-support/instance.ts";

let workshop: Workshop;
let server: Server;
let origin: string;
/** What came to the server. */
const came: string[] = [];

beforeAll(async () => {
  workshop = await Workshop.open();
  server = createServer((message, response) => {
    came.push(message.url ?? "");
    response.end("here");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await workshop.close();
});

const POLICY = { attempts: 1, backoff: "fixed", baseMs: 5, factor: 1, maxMs: 5, jitter: "none", onExhausted: "throw" } as const;

/** The source of a flow that is begun by an event with `data.url`. */
function aFlow(body: string, before = ""): string {
  return `import { event, flow } from "millrace";\n${before}\nexport const f = flow({ on: event("test") }, async (e, flow) => {${body}});`;
}

async function start(source: string): Promise<Instance> {
  const directory = await workshop.bundle({ "functions/app.ts": source });
  const instance = workshop.start();
  await load(instance, { directory, flow: true });
  return instance;
}

function begin(instance: Instance, call: number, url: string, head: Partial<RunHead> = {}): void {
  const run: RunHead = {
    id: `run-${call}`,
    seed: "seed",
    startedMs: Date.now(),
    nowMs: Date.now(),
    http: false,
    policy: POLICY,
    timeoutMs: 10_000,
    checkSchema: false,
    check: false,
    begun: true,
    ahead: "steps",
    ...head,
  };
  instance.send(FRAME.run, call, { id: run.id, attempt: 1, timeoutMs: 10_000, run }, JSON.stringify({ type: "test", data: { url } }));
  if (run.begun) instance.send(FRAME.entries, call, null, "[]", FLAG_LAST);
}

function stepsOf(instance: Instance, call: number): readonly unknown[] {
  return instance.frames.filter((frame) => frame.type === FRAME.step && frame.call === call).map(({ head }) => head["name"]);
}

let probes = 1000;

/** Runs that do nothing, there and back, and a request of our own: what had left the instance before would have come before. */
async function exchange(instance: Instance): Promise<void> {
  for (let i = 0; i < 5; i++) {
    const probe = ++probes;
    begin(instance, probe, "");
    await instance.end(probe);
  }
  await fetch(`${origin}/exchange`);
}

function calledAt(path: string): number {
  return came.filter((url) => url === path).length;
}

const CALLS = aFlow(`
  if (e.data.url === "") return;
  await flow.step("one", () => 1);
  const text = await flow.step("calls", async () => (await fetch(e.data.url)).text());
  return [text, await flow.step("last", () => "last")];`);

describe("R11: runs in an instance", () => {
  it("steps that reach nobody go together with the end, before anything is committed", async () => {
    const instance = await start(
      aFlow(`for (let i = 0; i < 5; i++) await flow.step("step " + i, (tx) => tx.kv.set("a", i));  return "over";`),
    );
    begin(instance, 1, "");
    const end = await instance.end(1);
    expect(end.body.toString()).toBe('"over"');
    expect(stepsOf(instance, 1)).toEqual(["step 0", "step 1", "step 2", "step 3", "step 4"]);
  });

  it("a request leaves when all before it is committed; from then on each step waits for the one before", async () => {
    const instance = await start(CALLS);
    begin(instance, 1, `${origin}/first`);
    await instance.frame(FRAME.step, 1);
    await exchange(instance);
    expect(calledAt("/first")).toBe(0);
    expect(stepsOf(instance, 1)).toEqual(["one"]);
    instance.send(FRAME.kept, 1, { step: 1, pos: 1, atMs: Date.now() });
    await instance.frame(FRAME.step, 1, ({ head }) => head["name"] === "calls");
    expect(calledAt("/first")).toBe(1);
    await exchange(instance);
    expect(stepsOf(instance, 1)).toEqual(["one", "calls"]);
    instance.send(FRAME.kept, 1, { step: 2, pos: 2, atMs: Date.now() });
    await instance.frame(FRAME.step, 1, ({ head }) => head["name"] === "last");
    begin(instance, 2, `${origin}/second`);
    await instance.frame(FRAME.step, 2);
    await exchange(instance);
    expect(stepsOf(instance, 2)).toEqual(["one"]);
    expect(calledAt("/second")).toBe(0);
  });

  it("a run that is dropped before its commits never makes its request, not even later", async () => {
    const instance = await start(
      aFlow(`
        if (e.data.url === "") return;
        await flow.step("one", () => 1);
        await flow.step("calls", async (tx) => {
          await new Promise((resolve) => tx.signal.addEventListener("abort", resolve));
          await fetch(e.data.url).catch((error) => console.log(error.cause.message));
        });`),
    );
    begin(instance, 1, `${origin}/dropped`);
    await instance.frame(FRAME.step, 1);
    instance.send(FRAME.abort, 1, { reason: "dropped" });
    await instance.end(1);
    await exchange(instance);
    expect(calledAt("/dropped")).toBe(0);
  });

  it("R12: a run that has not begun asks for it before it reaches anybody", async () => {
    const instance = await start(CALLS);
    begin(instance, 1, `${origin}/early`, { begun: false });
    await instance.frame(FRAME.begin, 1);
    instance.send(FRAME.kept, 1, { step: 1, pos: 1, atMs: Date.now() });
    await exchange(instance);
    expect(calledAt("/early")).toBe(0);
    instance.send(FRAME.kept, 1, { step: 0, pos: 0, atMs: 0 });
    await instance.frame(FRAME.step, 1, ({ head }) => head["name"] === "calls");
    expect(calledAt("/early")).toBe(1);
  });

  it("code that reaches out when it is loaded goes ahead of nothing", async () => {
    const instance = await start(
      aFlow(
        `if (e.data.url === "") return; await flow.step("one", () => 1); await flow.step("two", () => 2);`,
        `await fetch("${origin}/loaded");`,
      ),
    );
    begin(instance, 1, "steps");
    await instance.frame(FRAME.step, 1);
    await exchange(instance);
    expect(stepsOf(instance, 1)).toEqual(["one"]);
    expect(calledAt("/loaded")).toBe(1);
  });
});
