import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { testApp } from "./index.ts";

const FUNCTIONS = `
import { fn, http } from "millrace";
export const say = fn({ on: http.get("/say") }, (_, ctx) => ctx.log.info("said"));
`;

it("logs has what a call said as soon as it was answered, though nothing was committed", async () => {
  const directory = await mkdtemp(join(tmpdir(), "millrace-test-app-"));
  await mkdir(join(directory, "functions"));
  await writeFile(join(directory, "functions/talk.ts"), FUNCTIONS);
  const app = await testApp(directory);
  for (let calls = 1; calls <= 3; calls++) {
    await app.request("/say");
    expect(await app.logs("say")).toHaveLength(calls);
  }
  await app.stop();
  await rm(directory, { recursive: true, force: true });
});
