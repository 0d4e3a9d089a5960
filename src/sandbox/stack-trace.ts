import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SourceMap } from "./source-map.ts";

/**
 * Stack traces in the lines the user wrote. V8 asks for the text of a stack when somebody first reads it, so this costs
 * nothing until an error is shown; Node's own --enable-source-maps parses every map at import.
 */
export function installStackTraces(): void {
  const runtimeFile = ownFile();
  const maps = new Map<string, SourceMap | null>();
  Error.prepareStackTrace = (error, sites) => {
    let text = headline(error);
    for (const site of sites) {
      const file = site.getFileName();
      // The runtime's own frames, and those of Node beneath them, tell the user nothing.
      if (file === null || file === undefined || file === runtimeFile || file.startsWith("node:internal/")) continue;
      text += `\n    at ${mapped(site, file, maps)}`;
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

function mapped(site: CallSite, file: string, maps: Map<string, SourceMap | null>): string {
  const text = site.toString();
  const line = site.getLineNumber();
  const column = site.getColumnNumber();
  if (!file.startsWith("file:") || line === null || column === null) return text;
  let map = maps.get(file);
  if (map === undefined) {
    map = readMap(file);
    maps.set(file, map);
  }
  const place = map?.find(line, column) ?? null;
  return place === null ? text : text.replace(`${file}:${line}:${column}`, `${appRelative(place.source)}:${place.line}:${place.column}`);
}

function readMap(file: string): SourceMap | null {
  try {
    return SourceMap.parse(readFileSync(`${fileURLToPath(file)}.map`, "utf8"));
  } catch {
    return null;
  }
}

/** Maps name sources relative to where the bundle was made, which lies below the app. */
function appRelative(source: string): string {
  return source.replace(/^(?:\.{1,2}\/)+/, "");
}
