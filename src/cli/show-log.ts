import type { LogLine } from "../control/client/index.ts";
import type { LogLevel } from "../core/log-level.ts";
import type { Colors } from "./io.ts";
import { clockTime } from "./times.ts";

/** A log line for people: time, level, function, text; further lines of the text stand beneath it. */
export function showLogLine({ atMs, level, fn, text }: LogLine, colors: Colors): string {
  const lines = text.trimEnd().split("\n");
  const indented = lines.map((line, i) => (i === 0 ? line : `    ${line}`)).join("\n");
  return `${colors.dim(clockTime(atMs))} ${paint(level, colors)} ${colors.cyan(fn)}  ${indented}`;
}

function paint(level: LogLevel, colors: Colors): string {
  const word = level.toUpperCase().padEnd(5);
  switch (level) {
    case "debug":
      return colors.dim(word);
    case "info":
      return colors.green(word);
    case "warn":
      return colors.yellow(word);
    case "error":
      return colors.red(word);
    default:
      return level satisfies never;
  }
}
