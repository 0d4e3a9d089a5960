import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { describe, expect, it } from "vitest";

/**
 * The arrows of the house (ARCHITECTURE.md): which room may import which. A room that is not listed, or an arrow that is not
 * allowed, fails; so does a house in which this test sees nothing.
 */
const SRC = join(import.meta.dirname, "../../src");

const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: [],
  events: ["core"],
  sdk: ["core", "events", "protocol"],
  protocol: ["core", "events"],
  sandbox: ["core", "events", "sdk", "protocol"],
  store: ["core"],
  pool: ["core", "protocol"],
  delivery: ["core", "events", "protocol", "store", "pool"],
  sources: ["core", "events", "protocol", "store", "delivery"],
  runs: ["core", "events", "protocol", "store", "pool", "delivery"],
  gateway: ["core", "events", "protocol", "delivery", "runs"],
  releases: ["core", "events", "protocol", "sdk"],
  telemetry: ["core", "store", "delivery", "pool"],
  control: ["core", "events", "protocol", "store", "pool", "delivery", "runs", "gateway", "telemetry"],
  server: [
    "core",
    "events",
    "protocol",
    "sandbox",
    "store",
    "pool",
    "delivery",
    "runs",
    "sources",
    "gateway",
    "releases",
    "telemetry",
    "control",
  ],
  testing: ["core", "events", "sdk", "protocol", "store", "pool", "delivery", "runs", "server"],
  cli: ["core", "events", "protocol", "store", "pool", "delivery", "runs", "releases", "telemetry", "control", "server", "sdk"],
};

/** Narrower than a whole room: what may be reached, and nothing else of that room. */
const ONLY: Readonly<Record<string, readonly string[]>> = {
  // The node makes the file that instances run; it never runs any of it itself.
  "server → sandbox": ["sandbox/bundle-runtime.ts"],
};

/** A file without its comments. */
function code(file: string): string {
  return readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
}

interface Import {
  readonly from: string;
  readonly to: string;
}

function sourceFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts") && !path.includes(`testing-support${sep}`))
    .map((path) => join(directory, path));
}

function importsOf(file: string): Import[] {
  const text = code(file);
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map((found) => found[1] ?? "");
  return specifiers.map((specifier) => ({ from: relative(SRC, file), to: relative(SRC, resolve(dirname(file), specifier)) }));
}

const roomOf = (path: string): string => path.split(sep)[0] ?? "";
const files = sourceFiles(SRC);
const imports = files.flatMap(importsOf);

describe("the arrows of the house", () => {
  it("sees the whole house", () => {
    expect(files.length).toBeGreaterThan(100);
    expect(imports.length).toBeGreaterThan(300);
    expect([...new Set(files.map((file) => roomOf(relative(SRC, file))))].filter((room) => !Object.hasOwn(ALLOWED, room))).toEqual([]);
  });

  it("no room imports what stands above it or beside it", () => {
    const wrong = imports.filter(({ from, to }) => {
      const [room, target] = [roomOf(from), roomOf(to)];
      if (room === target) return false;
      const only = ONLY[`${room} → ${target}`];
      return !(ALLOWED[room] ?? []).includes(target) || (only !== undefined && !only.includes(to));
    });
    expect(wrong).toEqual([]);
  });

  it("the sandbox never reaches the store, the pool or the server, by any way", () => {
    const reached = new Set<string>();
    const visit = (path: string): void => {
      if (reached.has(path)) return;
      reached.add(path);
      for (const { to } of imports.filter(({ from }) => from === path)) visit(to);
    };
    for (const file of files) if (roomOf(relative(SRC, file)) === "sandbox") visit(relative(SRC, file));
    expect([...reached].filter((path) => ["store", "pool", "server", "delivery"].includes(roomOf(path)))).toEqual([]);
  });

  it("only the store speaks SQL", () => {
    const speakers = files.filter((file) =>
      /node:sqlite|\b(?:SELECT|INSERT INTO|UPDATE|DELETE FROM)\b.*\b(?:FROM|VALUES|SET|WHERE)\b/.test(code(file)),
    );
    expect(speakers.map((file) => roomOf(relative(SRC, file))).filter((room) => room !== "store")).toEqual([]);
  });

  it("a folder's index.ts only passes on what is elsewhere", () => {
    const doors = files.filter((file) => file.endsWith(`${sep}index.ts`));
    const withCode = doors.filter((file) =>
      /^(?:export )?(?:function|class|const|let|interface|async)\b/m.test(readFileSync(file, "utf8")),
    );
    expect(withCode.map((file) => relative(SRC, file))).toEqual([]);
  });
});
