import { ERROR_KINDS, type ErrorCode, MillraceError } from "../core/index.ts";
import type { FunctionError, Manifest } from "../protocol/index.ts";
import type { InstanceOwner } from "./instance-roles.ts";
import type { Instance } from "./instance.ts";
import type { InstanceClass } from "./spawn.ts";
import { isRecord, readError } from "./wire.ts";

/** A bundle's file and the source that it was made of. */
export interface Entry {
  readonly entry: string;
  readonly file: string;
}

/** Importing an app takes memory for its schemas and libraries, whatever its functions are granted later. */
export const DESCRIBER: InstanceClass = { memoryBytes: 256 * 2 ** 20, allow: [], network: false };

/** For an app with native packages: which of its functions may load them is known only when all were imported. */
export const NATIVE_DESCRIBER: InstanceClass = { ...DESCRIBER, allow: ["addons"] };

export interface DescribeContext {
  readonly env: Readonly<Record<string, string>>;
  /** The release carries packages with native code. */
  readonly native: boolean;
}

/** Runs the code of a bundle as far as its imports go, in a sandbox without network, and returns what it declares. */
export async function describeBundle(
  take: (owner: InstanceOwner) => Instance,
  directory: string,
  entries: readonly Entry[],
  env: Readonly<Record<string, string>>,
): Promise<Manifest> {
  const { promise, resolve, reject } = Promise.withResolvers<Manifest>();
  const owner: InstanceOwner = {
    instanceReady: () => {},
    instanceLoaded: () => {},
    instanceFreed: () => {},
    instanceEnded: (_, failure) => reject(loadFailed(failure ?? GONE, null)),
  };
  const instance = take(owner);
  try {
    instance.describe({ bundle: directory, entries, env }, owner, (head) => {
      if (head["error"] === undefined) resolve(readManifest(head["manifest"]));
      else reject(toFailure(head["error"], directory));
    });
    return await promise;
  } finally {
    instance.endNow();
  }
}

const GONE: FunctionError = { name: "Crashed", message: "the instance ended while it imported the app", stack: null };

function toFailure(error: unknown, directory: string): MillraceError {
  const file = isRecord(error) && typeof error["file"] === "string" ? error["file"] : null;
  return loadFailed(
    readError(error, (text) => text.replaceAll(/[^\s()]*\/instances\/\d+\/bundle/g, directory)),
    file,
    readVerdict(error),
  );
}

interface Verdict {
  readonly code: ErrorCode;
  /** Without one the code's own cure does. */
  readonly cure?: string;
}

const LOAD_FAILED: Verdict = { code: "load_failed" };

/** The code and cure that the sandbox found. It may only blame the app. */
function readVerdict(error: unknown): Verdict {
  if (!isRecord(error)) return LOAD_FAILED;
  const { code, cure } = error;
  if (!isErrorCode(code) || ERROR_KINDS[code].fault !== "app" || typeof cure !== "string") return LOAD_FAILED;
  return { code, cure };
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(ERROR_KINDS, code);
}

function loadFailed(error: FunctionError, file: string | null, { code, cure }: Verdict = LOAD_FAILED): MillraceError {
  const message = file === null || error.message.startsWith(`${file}:`) ? error.message : `${file}: ${error.message}`;
  const details = { name: error.name, file, stack: error.stack };
  return new MillraceError(code, message, cure === undefined ? { details } : { details, cure });
}

function readManifest(manifest: unknown): Manifest {
  if (!isManifest(manifest)) throw new MillraceError("load_failed", "the app's manifest came in a shape that is none");
  return manifest;
}

function isManifest(manifest: unknown): manifest is Manifest {
  if (!isRecord(manifest)) return false;
  const { functions, events } = manifest;
  return (
    Array.isArray(functions) &&
    functions.every((fn) => isRecord(fn) && typeof fn["name"] === "string" && typeof fn["entry"] === "string" && isFlow(fn["flow"])) &&
    Array.isArray(events) &&
    events.every((event) => isRecord(event) && typeof event["type"] === "string")
  );
}

/** Every event that is appended is held against these rules. */
function isFlow(flow: unknown): boolean {
  if (flow === undefined) return true;
  if (!isRecord(flow) || !Array.isArray(flow["cancelOn"])) return false;
  return flow["cancelOn"].every((rule) => isRecord(rule) && typeof rule["type"] === "string" && Array.isArray(rule["match"]));
}
