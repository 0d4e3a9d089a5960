import { Writable } from "node:stream";
import { format } from "node:util";
import type { LogLevel } from "../protocol/messages.ts";
import type { CallLog } from "./call-log.ts";

const LEVELS = { debug: "debug", log: "info", info: "info", warn: "warn", error: "error" } as const satisfies Record<string, LogLevel>;
const INDENT = "  ";

/** `console` and the standard streams become log lines of the call in whose context they are used. */
export function captureConsole(current: () => CallLog): void {
  const line = (level: LogLevel, parts: readonly unknown[]): void => {
    const log = current();
    const text = format(...parts);
    log.line(level, log.depth === 0 ? text : indented(text, log.depth));
  };
  for (const [method, level] of Object.entries(LEVELS)) {
    Object.assign(globalThis.console, { [method]: (...parts: unknown[]): void => line(level, parts) });
  }
  const group = (...label: unknown[]): void => {
    if (label.length > 0) line("info", label);
    current().depth++;
  };
  const groupEnd = (): void => {
    const log = current();
    log.depth = Math.max(0, log.depth - 1);
  };
  const trace = (...parts: unknown[]): void => {
    const here = { name: "Trace", message: format(...parts), stack: "" };
    Error.captureStackTrace(here, trace);
    line("error", [here.stack]);
  };
  // What is left (table, dir, count, …) ends in these or in the streams below.
  Object.assign(globalThis.console, { group, groupCollapsed: group, groupEnd, trace });
  captureStream("stdout", current);
  captureStream("stderr", current);
}

function indented(text: string, depth: number): string {
  const indent = INDENT.repeat(depth);
  return indent + text.replaceAll("\n", `\n${indent}`);
}

/** Made when first asked for: opening the real streams costs a start 1 ms and most functions never touch them. */
function captureStream(name: "stdout" | "stderr", current: () => CallLog): void {
  let stream: Writable | undefined;
  Object.defineProperty(process, name, {
    configurable: true,
    enumerable: true,
    get: () =>
      (stream ??= new Writable({
        decodeStrings: false,
        write(chunk: string | Buffer, _encoding, done) {
          current().write(name, typeof chunk === "string" ? chunk : chunk.toString("utf8"));
          done();
        },
      })),
  });
}
