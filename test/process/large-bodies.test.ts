import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { download, upload } from "./large-bodies.ts";
import { NodeProcess } from "./node-process.ts";

const MIB = 1024 ** 2;
const BODY_BYTES = 128 * MIB;
const BOUND_BYTES = 96 * MIB;

let node: NodeProcess;
beforeAll(async () => {
  node = await NodeProcess.start(join(import.meta.dirname, "bodies-app"), { args: ["--max-body", "300mb"] });
  // What a process takes for its first large body it takes once.
  await upload(node, 16 * MIB);
  await download(node, 16 * MIB);
}, 60_000);
afterAll(() => node.stop());

it("F7, F8, G10: a body of 128 MiB goes in, and another comes out, in flat memory of node and instance", { timeout: 120_000 }, async () => {
  for (const move of [upload, download]) {
    const { bytes, nodeBytes, instanceBytes } = await move(node, BODY_BYTES);
    expect(bytes).toBe(BODY_BYTES);
    expect(nodeBytes).toBeLessThan(BOUND_BYTES);
    expect(instanceBytes).toBeLessThan(BOUND_BYTES);
  }
});
