import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { testApp, type TestApp } from "../../src/testing/index.ts";

const MIB = 1024 ** 2;
const ENDLESS_BYTES = 1024 ** 4;
/** What may lie between a function and a client that does not read: two sockets' buffers, the credit, one piece at hand. */
const ON_THE_WAY_BYTES = 16 * MIB;

const lines: string[] = [];
let app: TestApp;
beforeAll(async () => {
  app = await testApp(join(import.meta.dirname, "bodies-app"), { onLog: ({ text }) => lines.push(text) });
}, 60_000);
afterAll(() => app.stop());

/** A connection of its own, with a request begun. */
async function begin(head: string): Promise<Socket> {
  const socket = connect(Number(new URL(app.url).port), "127.0.0.1");
  await new Promise((resolve) => {
    socket.write(`${head}\r\nHost: localhost\r\n\r\n`, resolve);
  });
  return socket;
}

/** The number in the line that begins so, once it is there. */
async function told(beginning: string): Promise<number> {
  const line = (): string | undefined => lines.find((each) => each.startsWith(beginning));
  await expect.poll(line, { timeout: 10_000 }).toBeDefined();
  return Number(/\d+/.exec(line()?.slice(beginning.length) ?? "")?.[0]);
}

it("F7, G13: a client that does not read holds its function back, and when it leaves the function hears of it", async () => {
  const socket = await begin(`GET /download/${ENDLESS_BYTES} HTTP/1.1`);
  await new Promise((resolve) => {
    socket.once("readable", resolve);
  });
  // Time enough for an unbounded sender to fill far more than the bound.
  await new Promise((resolve) => {
    setTimeout(resolve, 500);
  });
  socket.destroy();
  const sentBytes = await told("the download was cut");
  expect(sentBytes).toBeGreaterThan(0);
  expect(sentBytes).toBeLessThan(ON_THE_WAY_BYTES);
  expect(await (await app.request("/download/5")).text()).toBe("aaaaa");
});

it("F8, H5: a client that leaves in the middle of its body: the function's reading throws", async () => {
  const socket = await begin(`PUT /upload HTTP/1.1\r\nContent-Length: ${64 * MIB}`);
  await new Promise((resolve) => {
    socket.write(Buffer.alloc(2 * MIB), resolve);
  });
  socket.destroy();
  expect(await told("the upload broke off")).toBeLessThanOrEqual(2 * MIB);
  const whole = await app.request("/upload", { method: "PUT", body: Buffer.alloc(3 * MIB) });
  expect(await whole.json()).toEqual({ bytes: 3 * MIB });
});
