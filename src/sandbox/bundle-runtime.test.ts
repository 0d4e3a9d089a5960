import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { bundleRuntime } from "./bundle-runtime.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-runtime-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("is built once, and again when what it was made of has changed", async () => {
  const file = join(folder, "deep", "runtime.cjs");
  expect(await bundleRuntime(file)).toBe("built");
  const code = await readFile(file, "utf8");
  expect(await bundleRuntime(file)).toBe("kept");
  const recipe = JSON.parse(await readFile(`${file}.recipe.json`, "utf8")) as { inputs: string[]; digest: string };
  expect(recipe.inputs.some((input) => input.endsWith("main.ts"))).toBe(true);
  await writeFile(`${file}.recipe.json`, JSON.stringify({ ...recipe, digest: "of something else" }));
  expect(await bundleRuntime(file)).toBe("built");
  expect(await readFile(file, "utf8")).toBe(code);
});

it("several nodes may build it at once, and nothing is left behind", async () => {
  const file = join(folder, "runtime.cjs");
  await Promise.all([bundleRuntime(file), bundleRuntime(file), bundleRuntime(file)]);
  expect((await readdir(folder)).sort()).toEqual(["runtime.cjs", "runtime.cjs.recipe.json"]);
});

it("needs nothing at start but what is cheap: node:http would cost 20 to 45 ms, node:crypto 5", async () => {
  const file = join(folder, "runtime.cjs");
  await bundleRuntime(file);
  const required = [...(await readFile(file, "utf8")).matchAll(/require\("([^"]+)"\)/g)].map(([, name]) => name);
  expect(new Set(required)).toEqual(
    new Set(["node:async_hooks", "node:fs", "node:module", "node:net", "node:path", "node:stream", "node:url", "node:util", "node:vm"]),
  );
});
