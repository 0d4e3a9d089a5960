import type { Location, Message } from "esbuild";
import { didYouMean, MillraceError } from "../core/index.ts";

export interface CompileFault {
  readonly file: string | null;
  readonly line: number | null;
  /** Counted from 1, as editors do. */
  readonly column: number | null;
  readonly reason: string;
  readonly hint: string | null;
}

/** esbuild's messages as one error: place, reason, the line itself and a caret under the fault. */
export function compileFault(messages: readonly Message[], sdkNames: readonly string[]): MillraceError {
  const faults = messages.map((message) => readMessage(message, sdkNames));
  const text = faults.map((fault, index) => formatFault(fault) + excerpt(messages[index]?.location ?? null));
  return new MillraceError("compile_failed", text.join("\n\n"), { details: faults });
}

function readMessage({ location, text, notes }: Message, sdkNames: readonly string[]): CompileFault {
  const place = {
    file: location?.file ?? null,
    line: location?.line ?? null,
    column: location === null ? null : textBefore(location).length + 1,
  };
  const unknownName = /^No matching export in "millrace:[^"]*" for import "([^"]*)"$/.exec(text)?.[1];
  if (unknownName !== undefined) {
    return { ...place, reason: `"millrace" has no export "${unknownName}"${didYouMean(unknownName, sdkNames)}`, hint: null };
  }
  const unresolved = /^Could not resolve "([^"]*)"$/.exec(text)?.[1];
  // esbuild's own advice, to leave an import unresolved, only moves the error to the first call.
  if (unresolved !== undefined) return { ...place, reason: text, hint: resolveHint(unresolved) };
  return { ...place, reason: text, hint: notes.map((note) => note.text).join(" ") || null };
}

function resolveHint(path: string): string {
  if (/^\.{0,2}\//.test(path)) return "There is no such file.";
  const packageName = path.split("/", path.startsWith("@") ? 2 : 1).join("/");
  return `Install the package in the app's folder: npm install ${packageName}`;
}

function formatFault({ file, line, column, reason, hint }: CompileFault): string {
  const place = [file, line, column].filter((part) => part !== null).join(":");
  return `${place === "" ? "" : `${place}: `}${reason}${hint === null ? "" : `\n    ${hint}`}`;
}

function excerpt(location: Location | null): string {
  if (location === null || location.lineText === "") return "";
  const gutter = String(location.line);
  // Tabs are kept, so that the caret stands where the terminal shows the fault.
  const indent = textBefore(location).replace(/[^\t]/g, " ");
  const caret = `${" ".repeat(gutter.length)} | ${indent}${"^".repeat(Math.max(1, location.length))}`;
  return `\n\n    ${gutter} | ${location.lineText}\n    ${caret}`;
}

/** esbuild counts columns in bytes of UTF-8. */
function textBefore({ lineText, column }: Location): string {
  return Buffer.from(lineText).subarray(0, column).toString();
}
