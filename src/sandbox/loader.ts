import { join } from "node:path";
import { MillraceError } from "../core/errors.ts";
import type { FunctionError } from "../protocol/messages.ts";
import { factsOf } from "../sdk/definition.ts";
import { type BundleModules, isSteppable, writeCodeCache } from "./bundle-modules.ts";
import type { LoadedFunction } from "./calls.ts";
import { replaceEnv } from "./env.ts";
import { type TargetPlaces, Targets } from "./flow/targets.ts";
import { toFunctionError } from "./function-error.ts";
import { Schemas } from "./schemas.ts";

type Head = Readonly<Record<string, unknown>>;

/** Imports the one function that this instance runs. Throws what its file throws. */
export async function loadFunction(modules: BundleModules, head: Head): Promise<LoadedFunction> {
  const directory = textOf(head, "directory");
  const entry = textOf(head, "entry");
  const exportName = textOf(head, "exportName");
  const env = replaceEnv(stringsOf(head, "env"));
  const importEntry = (entry: string): Promise<Record<string, unknown>> => modules.import(join(directory, entry));
  const module = await importEntry(entry);
  const facts = factsOf(module[exportName]);
  if (facts?.kind !== "fn" && facts?.kind !== "flow")
    throw new MillraceError("load_failed", `${entry} has no function exported as "${exportName}"`);
  return {
    name: textOf(head, "fn"),
    ...(facts.kind === "flow" ? { handler: notCalled, flow: facts.handler } : { handler: facts.handler, flow: null }),
    targets: new Targets(placesOf(head), importEntry),
    env,
    schemas: new Schemas(new Map(Object.entries(stringsOf(head, "schemas"))), importEntry),
  };
}

/** A flow is run, never called. */
function notCalled(): never {
  throw new MillraceError("internal", "a flow was called like a function");
}

/** What is wrong with an app is told with its code and its own cure: they are what its author needs. */
type DescriptionError = FunctionError & { readonly file: string | null; readonly code?: string; readonly cure?: string };

export type Description = { readonly manifest: unknown } | { readonly error: DescriptionError };

/** Imports every file of the app and describes what they export (SPEC `described`). */
export async function describeApp(modules: BundleModules, head: Head): Promise<Description> {
  try {
    const directory = textOf(head, "directory");
    replaceEnv(stringsOf(head, "env"));
    // Imported here: an instance that runs a function has no use for it.
    const { describeModules } = await import("../sdk/describe.ts");
    return { manifest: await describeModules(entriesOf(head), (entry) => modules.import(join(directory, entry))) };
  } catch (thrown) {
    const known = thrown instanceof MillraceError ? { code: thrown.code, cure: thrown.cure } : {};
    return { error: { ...toFunctionError(thrown), file: fileOf(thrown), ...known } };
  }
}

function fileOf(thrown: unknown): string | null {
  if (!(thrown instanceof MillraceError)) return null;
  const { details } = thrown;
  return typeof details === "object" && details !== null && "file" in details && typeof details.file === "string" ? details.file : null;
}

/** Has entries compiled before it is known which of them will run, as far as the memory for it goes. Runs nothing. */
export async function prepareEntries(modules: BundleModules, head: Head): Promise<void> {
  const directory = textOf(head, "directory");
  const mostBytes = numberOf(head, "mostBytes");
  for (const entry of listOf(head, "entries")) {
    if (modules.sourceBytes >= mostBytes) return;
    await modules.prepare(join(directory, entry));
  }
}

/** Writes the code caches of a bundle. Returns how many there are. */
export function compileFiles(head: Head): number {
  if (!isSteppable()) return 0;
  const directory = textOf(head, "directory");
  const out = textOf(head, "out");
  const files = listOf(head, "files");
  for (const [place, file] of files.entries()) writeCodeCache(join(directory, file), join(out, String(place)));
  return files.length;
}

function entriesOf(head: Head): { entry: string; file: string }[] {
  const entries = head["entries"];
  if (!Array.isArray(entries)) throw new MillraceError("internal", "the manifest frame names no entries");
  return entries.map((each: Head) => ({ entry: textOf(each, "entry"), file: textOf(each, "file") }));
}

function textOf(head: Head, name: string): string {
  const value = head[name];
  if (typeof value !== "string") throw new MillraceError("internal", `the frame's head lacks "${name}"`);
  return value;
}

function numberOf(head: Head, name: string): number {
  const value = head[name];
  if (typeof value !== "number") throw new MillraceError("internal", `the frame's head lacks "${name}"`);
  return value;
}

function listOf(head: Head, name: string): string[] {
  const value = head[name];
  if (!Array.isArray(value)) throw new MillraceError("internal", `the frame's head lacks "${name}"`);
  return value.map(String);
}

function placesOf(head: Head): TargetPlaces {
  const { targets } = head;
  return typeof targets === "object" && targets !== null ? (targets as TargetPlaces) : {};
}

function stringsOf(head: Head, name: string): Record<string, string> {
  const value = head[name];
  return typeof value === "object" && value !== null ? (value as Record<string, string>) : {};
}
