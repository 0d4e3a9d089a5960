import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { TransientMap } from "./transient-map.ts";

interface Kept {
  readonly which: number;
}

describe("a map for what comes and goes", () => {
  it("is a Map to whoever uses it", () => {
    const map = new TransientMap<string, Kept>();
    map.set("a", { which: 1 });
    map.set("b", { which: 2 });
    map.set("a", { which: 3 });
    expect([map.size, map.has("a"), map.get("a"), map.has("c"), map.get("c")]).toEqual([2, true, { which: 3 }, false, undefined]);
    expect([...map.values()]).toEqual([{ which: 3 }, { which: 2 }]);
    expect([map.delete("a"), map.delete("a"), map.size, map.get("a")]).toEqual([true, false, 1, undefined]);
    map.clear();
    expect([map.size, [...map.values()]]).toEqual([0, []]);
  });

  it("what leaves it while it is walked is not met any more, what comes is", () => {
    const map = new TransientMap<number, Kept>();
    for (const which of [1, 2, 3]) map.set(which, { which });
    const met: number[] = [];
    for (const { which } of map.values()) {
      met.push(which);
      if (which === 1) map.delete(2);
      if (which === 3) map.set(4, { which: 4 });
    }
    expect(met).toEqual([1, 3, 4]);
  });

  it("lets what has left it go with the next small collection, unlike a Map that has grown old", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as (options: { type: "minor" | "major" }) => void;
    const IN_FLIGHT = 64;
    const stillThere = async (map: { set(which: number, kept: Kept): unknown; delete(which: number): boolean }): Promise<number> => {
      collect({ type: "major" });
      collect({ type: "major" });
      let left: WeakRef<Kept>[] = [];
      for (let which = 0; which < 4000; which++) {
        const kept = { which };
        map.set(which, kept);
        left.push(new WeakRef(kept));
        map.delete(which - IN_FLIGHT);
      }
      left = left.slice(0, -IN_FLIGHT);
      // A WeakRef holds what it refers to until the end of the turn that it was made in.
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      collect({ type: "minor" });
      collect({ type: "minor" });
      return left.filter((each) => each.deref() !== undefined).length;
    };
    expect(await stillThere(new TransientMap())).toBe(0);
    // Were it otherwise, nobody would need the other one.
    expect(await stillThere(new Map())).toBeGreaterThan(2000);
  });
});
