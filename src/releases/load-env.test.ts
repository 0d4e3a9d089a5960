import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadEnv } from "./load-env.ts";
import { temporaryApp } from "./testing-support/temporary-app.ts";

describe("R12: the app's variables", () => {
  it("are those of .env, then of .env.local", async () => {
    const directory = await temporaryApp({ ".env": 'A=1\nB="two words"\n# C=3\n', ".env.local": "A=own\nD=" });
    expect(await loadEnv(directory)).toEqual({ A: "own", B: "two words", D: "" });
  });

  it("are none without the files", async () => {
    expect(await loadEnv(await temporaryApp({ "readme.txt": "" }))).toEqual({});
  });

  it("name a file that cannot be read", async () => {
    const directory = await temporaryApp({ "readme.txt": "" });
    await mkdir(join(directory, ".env"));
    await expect(loadEnv(directory)).rejects.toMatchObject({
      code: "load_failed",
      message: expect.stringContaining(join(directory, ".env")),
    });
  });
});
