import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Beyond } from "./blame.ts";
import { isFuller } from "./folder-size.ts";
import type { Usage } from "./process-usage.ts";
import { UsageWatch, type Watched } from "./usage-watch.ts";

const MIB = 2 ** 20;

class Subject implements Watched {
  readonly pid = 1;
  readonly instanceClass = { memoryBytes: 64 * MIB, allow: [], network: true };
  oldest: Watched["oldest"] = { sinceMs: 1, allowedMs: 1000 };
  watchedTmp: string | null = null;
  usage: Usage = { memoryBytes: 30 * MIB, cpuMs: 5000, processes: 1 };
  readonly beyond: Beyond[] = [];

  exceeded(beyond: Beyond): void {
    this.beyond.push(beyond);
  }

  use(over: Partial<Usage>): this {
    this.usage = { ...this.usage, ...over };
    return this;
  }
}

describe("what instances use", () => {
  const subject = new Subject();
  const watch = new UsageWatch(() => subject.usage);
  const look = (): readonly (Beyond | boolean)[] => [watch.look([subject]), ...subject.beyond.splice(0)];

  it("B3: memory beyond the limit and 64 MiB", () => {
    expect(look()).toEqual([true]);
    subject.use({ memoryBytes: 128 * MIB });
    expect(look()).toEqual([true]);
    subject.use({ memoryBytes: 129 * MIB });
    expect(look()).toEqual([true, { limit: "memory", usedBytes: 129 * MIB }]);
    subject.use({ memoryBytes: 30 * MIB });
  });

  it("B7: processor time counts from when the oldest call was first seen", () => {
    subject.use({ cpuMs: 5900 });
    expect(look()).toEqual([true]);
    subject.oldest = { sinceMs: 2, allowedMs: 1000 };
    subject.use({ cpuMs: 6500 });
    expect(look()).toEqual([true]);
    subject.use({ cpuMs: 8000 });
    expect(look()).toEqual([true]);
    subject.use({ cpuMs: 8010 });
    expect(look()).toEqual([true, { limit: "cpu", cpuMs: 1510 }]);
  });

  it("B7: who works on without a call is looked at until it is calm, and ended at 2 s", () => {
    subject.oldest = null;
    expect(look()).toEqual([true]);
    subject.use({ cpuMs: 9010 });
    expect(look()).toEqual([true]);
    subject.use({ cpuMs: 10011 });
    expect(look()).toEqual([true, { limit: "cpu", cpuMs: 2001 }]);
    expect(look()[0]).toBe(true);
    expect(look()).toEqual([false]);
  });

  it("B7: one that never had a call is not looked at", () => {
    expect(new UsageWatch(() => subject.usage).look([subject])).toBe(false);
  });

  it("W7: more than 64 processes", () => {
    subject.oldest = { sinceMs: 3, allowedMs: 1000 };
    subject.use({ processes: 65 });
    expect(look()).toEqual([true, { limit: "processes", count: 65 }]);
  });

  it("W7: a tmp that holds more than memory", () => {
    const folder = mkdtempSync(join(tmpdir(), "millrace-tmp-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, "deep"));
    writeFileSync(join(folder, "deep", "file"), Buffer.alloc(MIB));
    expect([isFuller(folder, MIB), isFuller(folder, 2 * MIB), isFuller(join(folder, "none"), 0)]).toEqual([true, false, false]);
    for (let i = 0; i < 300; i++) writeFileSync(join(folder, `empty-${i}`), "");
    expect(isFuller(folder, 2 * MIB)).toBe(true);
    subject.use({ processes: 1 });
    subject.watchedTmp = folder;
    expect(look()).toEqual([true]);
    writeFileSync(join(folder, "file"), Buffer.alloc(65 * MIB));
    expect(look()).toEqual([true, { limit: "tmp", limitBytes: 64 * MIB }]);
  });
});
