import { expect, it } from "vitest";
import { newId } from "./ids.ts";

it("ids have 26 characters, sort by their time, and those of one moment share its first ten", () => {
  const times = [0, 1, 1023, 1024, 1_767_225_600_000, 1_767_225_600_001, 2 ** 48 - 1];
  const ids = times.flatMap((atMs) => [newId(atMs), newId(atMs)]);
  for (const id of ids) expect(id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
  const stamps = ids.map((id) => id.slice(0, 10));
  expect(stamps).toEqual([...stamps].sort());
  expect(new Set(stamps).size).toBe(times.length);
  expect(new Set(ids).size).toBe(ids.length);
});

it("the first ten characters are the milliseconds in base 32, also when time goes back", () => {
  expect(newId(32 ** 2 * 3 + 32 * 2 + 1).slice(0, 10)).toBe("0000000321");
  expect(newId(31).slice(0, 10)).toBe("000000000Z");
});
