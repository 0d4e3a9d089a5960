import { expect, it } from "vitest";
import { CALL_LIMIT_CHARS, CALL_LIMIT_LINES, CallLog, LINE_LIMIT_CHARS } from "./call-log.ts";

function record(): { log: CallLog; lines: string[] } {
  const lines: string[] = [];
  return { log: new CallLog((level, text) => lines.push(`${level} ${text}`)), lines };
}

it("B22: a line is cut at its limit", () => {
  const { log, lines } = record();
  log.line("info", "x".repeat(LINE_LIMIT_CHARS + 5));
  expect(lines[0]?.endsWith("x… (5 more characters)")).toBe(true);
});

it("B22: after 1,000 lines one line tells how many were dropped", () => {
  const { log, lines } = record();
  for (let i = 0; i < CALL_LIMIT_LINES + 7; i++) log.line("info", `${i}`);
  expect(lines).toHaveLength(CALL_LIMIT_LINES);
  log.end();
  expect(lines.at(-1)).toBe("warn … 7 more lines were dropped");
});

it("B22: the characters of a call are limited too", () => {
  const { log, lines } = record();
  const fit = CALL_LIMIT_CHARS / LINE_LIMIT_CHARS;
  for (let i = 0; i < fit + 3; i++) log.line("info", "x".repeat(LINE_LIMIT_CHARS));
  log.end();
  expect(lines).toHaveLength(fit + 1);
  expect(lines.at(-1)).toContain("3 more lines");
});

it("B21: writes to the streams are cut into lines; the last one comes at the end", () => {
  const { log, lines } = record();
  log.write("stdout", "a");
  log.write("stderr", "oh");
  log.write("stdout", "b\nc\nd");
  expect(lines).toEqual(["info ab", "info c"]);
  log.end();
  expect(lines).toEqual(["info ab", "info c", "info d", "error oh"]);
});
