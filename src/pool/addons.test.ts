import { cpSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { raiseWall } from "./jail/index.ts";
import { type RealApp, realApp } from "./testing-support/real-app.ts";
import { httpCall } from "./testing-support/scripted-instance.ts";

/** A package with native code as people use it: sharp, and libvips with its threads behind it. */
const SOURCE = `
  import { fn } from "millrace";
  const make = () => fn({ on: "x" as any }, async () => {
    const name = "sharp";
    const { default: sharp } = await import(name);
    const red = await sharp({ create: { width: 300, height: 200, channels: 3, background: "red" } }).png().toBuffer();
    const small = await sharp(red).resize(30).toBuffer({ resolveWithObject: true });
    return small.info.format + " " + small.info.width + "x" + small.info.height;
  });
  export const granted = make();
  export const offline = make();
  export const plain = make();
`;

const PACKAGES = ["sharp", "@img", "detect-libc", "semver"];

function placePackages({ release }: RealApp): void {
  const [home = ""] = fileURLToPath(import.meta.resolve("sharp")).split("/sharp/");
  for (const name of PACKAGES)
    cpSync(join(home, name), join(release.directory, "node_modules", name), { recursive: true, dereference: true });
}

async function answer(app: RealApp, fn: string): Promise<string> {
  const outcome = await app.pool.call(httpCall(fn, { timeoutMs: 20_000 }));
  if (outcome.kind !== "returned") return `${outcome.error.name}: ${outcome.error.message}`;
  return Buffer.from(outcome.response?.body as Uint8Array).toString();
}

const { name: strongest } = await raiseWall();

// sharp has no binaries for every platform; where it has none it does not install.
describe.each(["permission", "jail"] as const)("W3: addons behind the wall: %s", (wall) => {
  it.runIf(wall === "permission" || strongest === wall)(
    "sharp works with its grant, and without it the error names the grant",
    async () => {
      const allow = ["addons"] as const;
      const app = await realApp(SOURCE, { granted: { allow }, offline: { allow, network: false }, plain: {} }, { wall });
      placePackages(app);
      expect(await answer(app, "granted")).toBe("png 30x20");
      expect(await answer(app, "offline")).toBe("png 30x20");
      expect(await answer(app, "plain")).toContain('the sandbox loads no native addons unless the function says `allow: ["addons"]`');
      await app.close();
    },
  );
});
