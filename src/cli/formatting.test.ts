import { describe, expect, it } from "vitest";
import { makeColors } from "./io.ts";
import { progressText } from "./progress-line.ts";
import { showTriggers } from "./show-function.ts";
import { showLogLine } from "./show-log.ts";
import { cut, table, width } from "./table.ts";
import { ago, clockTime } from "./times.ts";

const colors = makeColors(true);

describe("tables", () => {
  it("align, numbers to the right, nothing behind the last column", () => {
    const text = table({
      head: ["NAME", "COUNT", "SAYS"],
      rows: [
        ["a", "1", "short"],
        ["longer", "1000", "x"],
      ],
      right: new Set([1]),
      columns: null,
    });
    expect(text).toBe("NAME    COUNT  SAYS\na           1  short\nlonger   1000  x");
  });

  it("count places, not characters or colours", () => {
    expect(width(colors.red("abc"))).toBe(3);
    expect(width("日本")).toBe(4);
    expect(width("é")).toBe(1);
    expect(width("👩‍👩‍👧")).toBe(2);
    expect(
      table({
        rows: [
          [colors.red("a"), "b"],
          ["ccc", "d"],
        ],
        columns: null,
      }),
    ).toBe(`${colors.red("a")}    b\nccc  d`);
  });

  it("are cut to the terminal", () => {
    expect(cut("abcdef", 6)).toBe("abcdef");
    expect(cut("abcdefg", 6)).toBe("abcde…");
    expect(cut("日本語", 5)).toBe("日本…");
    expect(table({ rows: [["a", "long text"]], columns: 6 })).toBe("a  lo…");
    expect(table({ rows: [], columns: 6 })).toBe("");
  });
});

describe("times", () => {
  it.each([
    [0, "now"],
    [999, "now"],
    [1000, "1s ago"],
    [59_999, "59s ago"],
    [180_000, "3m ago"],
    [7_200_000, "2h ago"],
    [3 * 86_400_000, "3d ago"],
    [-4001, "in 5s"],
    [-1, "in 1s"],
  ])("%i ms: %s", (ageMs, text) => {
    expect(ago(1e12 - ageMs, 1e12)).toBe(text);
  });

  it("of log lines are by the clock", () => {
    expect(clockTime(new Date(2026, 0, 1, 3, 4, 5, 6).getTime())).toBe("03:04:05.006");
  });
});

describe("lines", () => {
  it("of a log keep their own breaks, indented", () => {
    const atMs = new Date(2026, 0, 1, 3, 4, 5, 6).getTime();
    expect(showLogLine({ atMs, fn: "f", invocation: "i", level: "warn", text: "a\nb\n" }, makeColors(false))).toBe(
      "03:04:05.006 WARN  f  a\n    b",
    );
  });

  it("of progress know a total or do without", () => {
    expect(progressText(5, null, "redriven")).toBe("5 redriven …");
    expect(progressText(1, 3, "redriven")).toBe("██████░░░░░░░░░░░░░░░░░░ 1 of 4 redriven");
    expect(progressText(0, 0, "redriven")).toContain("0 of 0");
  });

  it("of triggers are short", () => {
    expect(
      showTriggers([
        { kind: "http", method: "POST", path: "/a" },
        { kind: "event", type: "x.*", where: null, sql: null },
        { kind: "event", type: "y", where: { source: ["z"] }, sql: null },
        { kind: "event", type: "q", where: null, sql: "source = 'z'" },
        { kind: "every", everyMs: 300_000 },
        { kind: "cron", expression: "0 3 * * *", timezone: "Europe/Berlin" },
      ]),
    ).toBe("POST /a, on x.*, on y where …, on q sql …, every 5m, cron 0 3 * * * (Europe/Berlin)");
  });
});
