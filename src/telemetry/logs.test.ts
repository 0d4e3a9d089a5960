import { describe, expect, it } from "vitest";
import type { LogLevel, LogLine } from "../store/store.ts";
import { type Followed, Logs } from "./logs.ts";

function line(text: string, level: LogLevel = "info", fn = "a"): LogLine {
  return { atMs: 1, fn, invocation: "i", level, text };
}

function logs(): { logs: Logs; batches: string[][] } {
  const batches: string[][] = [];
  return { logs: new Logs({ log: (lines) => void batches.push(lines.map(({ text }) => text)) }), batches };
}

const textOf = (followed: Followed | undefined): string | number =>
  followed === undefined ? "end" : followed.kind === "line" ? followed.line.text : followed.count;

describe("log lines", () => {
  it("L1: reach the store in one batch a turn", async () => {
    const { logs: all, batches } = logs();
    all.write(line("1"));
    all.write(line("2"));
    expect(batches).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    all.write(line("3"));
    all.flush();
    all.flush();
    expect(batches).toEqual([["1", "2"], ["3"]]);
  });

  it("reach those who follow, by function and level, until they leave", async () => {
    const { logs: all } = logs();
    const left = new AbortController();
    const follower = all.follow({ fn: "a", level: "warn" }, left.signal);
    all.write(line("too low"));
    all.write(line("other", "error", "b"));
    all.write(line("1", "warn"));
    all.write(line("2", "error"));
    expect(textOf((await follower.next()).value)).toBe("1");
    expect(textOf((await follower.next()).value)).toBe("2");
    const next = follower.next();
    all.write(line("3", "error"));
    expect(textOf((await next).value)).toBe("3");
    all.write(line("4", "error"));
    left.abort();
    expect(textOf((await follower.next()).value)).toBe("4");
    expect((await follower.next()).done).toBe(true);
  });

  it("L2: a reader that does not keep up is told what it missed", async () => {
    const { logs: all } = logs();
    const left = new AbortController();
    const follower = all.follow({}, left.signal);
    for (let i = 0; i < 10_000; i++) all.write(line(String(i)));
    left.abort();
    const got: Followed[] = [];
    for await (const followed of follower) got.push(followed);
    const [first] = got;
    expect(first?.kind).toBe("dropped");
    expect(got.length - 1 + (first?.kind === "dropped" ? first.count : 0)).toBe(10_000);
    expect(textOf(got.at(-1))).toBe("9999");
  });

  it("L3: the newest stay at hand", () => {
    const { logs: all } = logs();
    for (let i = 0; i < 5000; i++) all.write(line(String(i)));
    const recent = all.recent({});
    expect(recent.length).toBeGreaterThanOrEqual(1024);
    expect(recent.length).toBeLessThan(2048);
    expect(recent.at(-1)?.text).toBe("4999");
    expect(all.recent({ fn: "b" })).toEqual([]);
  });

  it("reach sinks until these are taken away", () => {
    const { logs: all } = logs();
    const seen: string[] = [];
    const away = all.addSink(({ text }) => void seen.push(text));
    all.write(line("1"));
    away();
    all.write(line("2"));
    expect(seen).toEqual(["1"]);
  });
});
