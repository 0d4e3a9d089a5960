import { describe, expect, it } from "vitest";
import { type RealApp, realApp } from "./testing-support/real-app.ts";

async function describeSource(source: string, loadLimitMs = 10_000, file = "functions/orders.ts"): Promise<unknown> {
  const app: RealApp = await realApp(source, {}, { loadLimitMs });
  try {
    return await app.pool.describe(app.release.directory, [{ entry: "app.mjs", file }], { env: { NAME: "x" }, native: false });
  } catch (error) {
    return error;
  } finally {
    await app.close();
  }
}

describe("the manifest of a bundle", () => {
  it("M1: is what its code declares, run in a sandbox", async () => {
    const manifest = await describeSource(`
      import { fn, http, event } from "millrace";
      export const placed = event("order.placed");
      export const place = fn({ on: http.post("/orders"), timeout: "3s" }, async () => {});
    `);
    expect(manifest).toMatchObject({
      functions: [
        {
          name: "place",
          entry: "app.mjs",
          file: "functions/orders.ts",
          timeoutMs: 3000,
          triggers: [{ kind: "http", method: "POST", path: "/orders" }],
        },
      ],
    });
  });

  it("M1: a flow's too", async () => {
    const manifest = await describeSource(`
      import { event, flow } from "millrace";
      const match = { "data.order": "data.id" };
      export const fulfil = flow({ on: event("order.paid"), deadline: "30d", cancelOn: { event: "order.cancelled", match } }, async () => {});
    `);
    const cancelOn = [{ type: "order.cancelled", match: [["data.order", "data.id"]], rollback: true }];
    expect(manifest).toMatchObject({ functions: [{ name: "fulfil", flow: { deadlineMs: 30 * 86_400_000, cancelOn } }] });
  });

  it.each([
    ["a throw", `throw new Error("no good");`, "no good"],
    ["an exit", `process.exit(3);`, "process.exit(3)"],
    ["a blocked loop", `for (;;);`, "did not come to its end in time"],
    [
      "the network",
      `const { connect } = process.getBuiltinModule("node:net"); await new Promise((r, j) => connect(9, "127.0.0.1").on("error", j));`,
      "the sandbox denies this",
    ],
  ])("M2: %s while it is imported is a load error with its words", async (_, source, words) => {
    expect(await describeSource(source, 1500)).toMatchObject({ code: "load_failed", message: expect.stringContaining(words) });
  });

  it("M3: what the sandbox found wrong with the app keeps its code and its own cure", async () => {
    const source = `import { fn, http } from "millrace"; export const f = fn({ on: http.get("/"), timeot: "1s" } as any, () => {});`;
    expect(await describeSource(source)).toMatchObject({
      code: "bad_option",
      message: 'functions/orders.ts: export "f": option "timeot" does not exist (did you mean "timeout"?)',
      cure: expect.stringContaining("the options here are on, id, key"),
    });
  });

  it("D12 D18: what is wrong is told with its line in the source", async () => {
    const head = `import { fn, http, event } from "millrace";\n\n`;
    const faultOf = (source: string): Promise<unknown> => describeSource(head + source, 10_000, "functions.ts");
    const typo = `export const f = fn(\n  { on: http.get("/"), timeot: "1s" } as any,\n  () => {},\n);`;
    expect(await faultOf(typo)).toMatchObject({ message: expect.stringMatching(/^functions\.ts:3: export "f": option "timeot"/) });
    expect(await faultOf(`export const e = event("a.*", { schema: {} } as any);`)).toMatchObject({
      message: expect.stringMatching(/^functions\.ts:3: event\("a\.\*"\): /),
    });
    expect(await faultOf(`const no = (): never => {\n  throw new Error("no good");\n};\nno();`)).toMatchObject({
      message: "functions.ts:4: the file cannot be loaded: no good",
    });
  });

  it("M3: it may not blame anybody else", async () => {
    const source = `
      import { fn } from "millrace";
      export const f = fn({ on: "x" } as any, () => {});
      throw Object.assign(new Error("no"), { code: "disk_full", cure: "pay" });
    `;
    expect(await describeSource(source)).toMatchObject({ code: "load_failed" });
  });

  it("M2: the stack shows the source's line", async () => {
    const error = await describeSource(`const a = 1;\nthrow new Error("here" + a);`);
    expect(error).toMatchObject({ details: { stack: expect.stringMatching(/functions\.ts:2/) } });
  });
});
