import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { testApp, type TestApp } from "../../src/testing/index.ts";

/** An app that imports a package with native code as everybody does. */
let app: TestApp;
beforeAll(async () => {
  app = await testApp(join(import.meta.dirname, "native-app"));
}, 60_000);
afterAll(() => app.stop());

it("R18, W3: sharp, imported at the top of a file, works in a function with its grant", async () => {
  const answer = await app.request("/granted");
  expect([answer.status, await answer.json()]).toEqual([200, { format: "png", width: 30, bytes: true }]);
});

it("W3: without the grant the function alone fails, by an error that names the grant", async () => {
  const answer = await app.request("/refused");
  const { error } = (await answer.json()) as { error: { code: string; message: string } };
  expect([answer.status, error.code]).toEqual([500, "load_failed"]);
  expect(error.message).toMatch(/^refused \(functions\/pictures\.ts\) could not be loaded: /);
  expect(error.message).toContain('the sandbox loads no native addons unless the function says `allow: ["addons"]`');
  expect((await app.request("/granted")).status).toBe(200);
});
