import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type TestApp, testApp } from "./index.ts";

const FUNCTIONS = `
import { event, fn, http } from "millrace";
export const later = fn({ on: event("asked") }, (_, ctx) => ctx.emit("answered", null, { after: "1h" }));
export const say = fn({ on: http.get("/say") }, (_, ctx) => ctx.log.info("said"));
`;

let directory: string;
let app: TestApp;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "millrace-test-app-"));
  await mkdir(join(directory, "functions"));
  await writeFile(join(directory, "functions/talk.ts"), FUNCTIONS);
  app = await testApp(directory, { now: new Date("2031-05-06T07:08:09Z") });
});

afterAll(async () => {
  await app.stop();
  await rm(directory, { recursive: true, force: true });
});

it("an event that a function delays happens by the test's clock, not by that of the instance", async () => {
  await app.emit("asked");
  await app.advance("59m");
  expect(await app.emitted("answered")).toEqual([]);
  await app.advance("1m");
  expect(await app.emitted("answered")).toMatchObject([{ time: "2031-05-06T08:08:09.000Z" }]);
});

it("logs has what a call said as soon as it was answered, though nothing was committed", async () => {
  for (let calls = 1; calls <= 3; calls++) {
    await app.request("/say");
    expect(await app.logs("say")).toHaveLength(calls);
  }
});
