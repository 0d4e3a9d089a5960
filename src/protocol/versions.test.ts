import { expect, it } from "vitest";
import { pickVersion, SPOKEN_VERSIONS } from "./versions.ts";

it("F4: the newest version that both speak is picked, whatever their order", () => {
  expect(pickVersion([1, 2, 3], [1, 2])).toBe(2);
  expect(pickVersion([3, 1], [1, 2, 3, 4])).toBe(3);
  expect(pickVersion(SPOKEN_VERSIONS)).toBe(Math.max(...SPOKEN_VERSIONS));
});

it("F4: an instance that is too new, too old, or offers no list has none", () => {
  expect(pickVersion([3, 4], [1, 2])).toBeNull();
  expect(pickVersion([1], [2, 3])).toBeNull();
  for (const offered of [undefined, 1, "1", {}, [], ["1"]]) expect(pickVersion(offered)).toBeNull();
});
