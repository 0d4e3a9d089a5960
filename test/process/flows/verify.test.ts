import { describe, expect, it } from "vitest";
import { verify } from "./drive.ts";

describe("flows on a node that is killed", () => {
  it("X1–X9: 300 random programs come to what the model says, through ten kills", { timeout: 180_000 }, async () => {
    const { differences, journals, kills } = await verify({ seed: 5, programs: 300, kills: 10 });
    expect({ differences, journals }).toEqual({ differences: [], journals: [] });
    expect(kills).toBe(10);
  });
});
