import { readFileSync, realpathSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { SourceMap } from "./source-map.ts";

/**
 * Stack traces in the lines the user wrote. V8 asks for the text of a stack when somebody first reads it, so this costs
 * nothing until an error is shown; Node's own --enable-source-maps parses every map at import. `releaseDirectory` is
 * asked when a stack is shown: it is known only once a function is loaded.
 */
export function installStackTraces(releaseDirectory: () => string | null): void {
  const runtimeFile = ownFile();
  const maps = new Map<string, SourceMap | null>();
  const find = (file: string, line: number, column: number): string | null => {
    let map = maps.get(file);
    if (map === undefined) {
      map = readMap(file);
      maps.set(file, map);
    }
    const place = map?.find(line, column) ?? null;
    return place === null ? null : `${appRelative(place.source, file, releaseDirectory())}:${place.line}:${place.column}`;
  };
  Error.prepareStackTrace = (error, sites) => {
    let text = headline(error);
    for (const site of sites) {
      const file = site.getFileName();
      // The runtime's own frames, and those of Node beneath them, tell the user nothing.
      if (file === null || file === undefined || file === runtimeFile || file.startsWith("node:internal/")) continue;
      text += `\n    at ${mapped(site, file, find)}`;
    }
    return text;
  };
}

/** The runtime is bundled into one file, so the file of this function is the file of all of it. */
function ownFile(): string | null {
  let file: string | null = null;
  Error.prepareStackTrace = (_error, sites) => {
    file = sites[0]?.getFileName() ?? null;
    return "";
  };
  void new Error("where am I").stack;
  return file;
}

function headline(error: unknown): string {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    return "Error";
  }
}

/** V8's call sites say their line themselves; the type leaves that out. */
interface CallSite extends NodeJS.CallSite {
  toString(): string;
}

function mapped(site: CallSite, file: string, find: (file: string, line: number, column: number) => string | null): string {
  const text = site.toString();
  const line = site.getLineNumber();
  const column = site.getColumnNumber();
  if (!file.startsWith("file:") || line === null || column === null) return text;
  const place = find(file, line, column);
  return place === null ? text : text.replace(`${file}:${line}:${column}`, place);
}

function readMap(file: string): SourceMap | null {
  try {
    return SourceMap.parse(readFileSync(`${fileURLToPath(file)}.map`, "utf8"));
  } catch {
    return null;
  }
}

/**
 * Maps name sources relative to themselves, and a release lies as its app does: what a source is relative to the release
 * it is relative to the app. A release made below its app leads up to it first; those steps say nothing to people.
 */
function appRelative(source: string, file: string, releaseDirectory: string | null): string {
  // Not a path but a name: the SDK's own files are called so.
  if (/^[a-z]+:/i.test(source)) return source;
  const path = releaseDirectory === null ? source : relative(realPath(releaseDirectory), join(dirname(fileURLToPath(file)), source));
  return path.replaceAll("\\", "/").replace(/^(?:\.{1,2}\/)+/, "");
}

/** Node imports by real path, so the folder must be compared by its own. `native` asks for nothing above the folder, which may not be read. */
function realPath(directory: string): string {
  try {
    return realpathSync.native(directory);
  } catch {
    return directory;
  }
}
