import { describe, expect, it } from "vitest";
import { MillraceError } from "../core/index.ts";
import { cron, event, fn, type FnOptions, http } from "../sdk/index.ts";
import { describeModules } from "../sdk/describe.ts";
import { checkManifest } from "./check-manifest.ts";

async function faultOf(functions: Record<string, FnOptions["on"]>): Promise<MillraceError | undefined> {
  const exported = Object.fromEntries(Object.entries(functions).map(([name, on]) => [name, fn({ on }, () => {})]));
  const manifest = await describeModules([{ entry: "functions/a.mjs", file: "functions/a.ts" }], async () => exported);
  try {
    checkManifest(manifest);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof MillraceError) return thrown;
    throw thrown;
  }
}

describe("R9: patterns", () => {
  it("that are fine pass", async () => {
    expect(await faultOf({ a: event("order.*", { where: { data: { total: [{ numeric: [">", 100] }] } } }) })).toBeUndefined();
  });

  it("that are none name place, path and fault", async () => {
    const fault = await faultOf({ a: event("order.*", { where: { data: { total: [{ nummeric: [">", 100] }] } } }) });
    expect(fault?.code).toBe("bad_pattern");
    expect(fault?.message).toMatch(/^functions\/a\.ts: export "a": event\("order\.\*"\): the pattern "where" is wrong: data\.total/);
    expect(fault?.details).toMatchObject({ file: "functions/a.ts", function: "a", path: expect.stringContaining("data.total") });
  });
});

describe("R15: CloudEvents SQL", () => {
  it("that is fine passes", async () => {
    expect(await faultOf({ a: event("order.*", { sql: "source LIKE '/shops/%'", where: { data: { paid: [true] } } }) })).toBeUndefined();
  });

  it("that is none names place, position and fault", async () => {
    const fault = await faultOf({ a: event("order.*", { sql: "size > 1 AND LOWR(source) = 'x'" }) });
    expect(fault?.code).toBe("bad_sql");
    expect(fault?.message).toBe(
      'functions/a.ts: export "a": event("order.*"): the expression "sql" is wrong: at character 13: there is no function LOWR (did you mean "LOWER"?)',
    );
    expect(fault?.details).toMatchObject({ file: "functions/a.ts", function: "a", position: 13 });
  });
});

describe("R10: cron expressions", () => {
  it("that are fine pass", async () => {
    expect(await faultOf({ a: [cron("0 3 * * *"), cron("*/10 * * * * *", { timezone: "Europe/Berlin" })] })).toBeUndefined();
  });

  it.each([
    ["every day", undefined],
    ["61 * * * *", undefined],
    ["0 3 * * *", "Europe/Nowhere"],
    ["0 0 31 2 *", undefined],
  ])("%s in %s is refused", async (expression, timezone) => {
    const fault = await faultOf({ a: cron(expression, timezone === undefined ? {} : { timezone }) });
    expect(fault).toMatchObject({ code: "bad_option" });
    expect(fault?.message).toContain(`functions/a.ts: export "a": cron("${expression}")`);
  });
});

describe("R11: routes", () => {
  it("of other methods or shapes live side by side", async () => {
    expect(
      await faultOf({ a: [http.get("/a/:id"), http.post("/a/:id"), http.get("/a/x")], b: [http.any("/a/:id"), http.get("/a/*")] }),
    ).toBeUndefined();
  });

  it("of one method and shape are refused, whatever the parameters are called", async () => {
    expect((await faultOf({ a: http.get("/a"), b: http.get("/a") }))?.message).toBe(
      'one route is given more than once: GET /a: functions/a.ts: export "a" and functions/a.ts: export "b"',
    );
    expect(await faultOf({ a: http.get("/a/:id"), b: http.get("/a/:name") })).toMatchObject({ code: "duplicate_route" });
    expect((await faultOf({ a: [http.get("/a"), http.get("/a")] }))?.message).toContain("twice");
  });
});
