import { describe, expect, it } from "vitest";
import { toIngested } from "./new-event.ts";

describe("an event of the control door", () => {
  const MOST_BYTES = 1024;

  it("C12: is the same when its sender, who named its id, sends it again later", () => {
    const given = { type: "order.placed", data: { id: 1 }, id: "o1" };
    const again = toIngested(given, 60_000, MOST_BYTES);
    expect(again.json).toBe(toIngested(given, 0, MOST_BYTES).json);
    expect(again.event).not.toHaveProperty("time");
  });

  it("C12: has our time where the id is ours too", () => {
    expect(toIngested({ type: "order.placed" }, 60_000, MOST_BYTES).event.time).toBe("1970-01-01T00:01:00.000Z");
  });
});
