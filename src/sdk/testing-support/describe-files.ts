import { MillraceError } from "../../core/index.ts";
import type { FunctionManifest, Manifest } from "../../protocol/manifest.ts";
import { describeModules } from "../describe.ts";

/** Describes files of an app as what loading each gives. */
export function describeFiles(files: Record<string, () => object>): Promise<Manifest> {
  const entries = Object.keys(files).map((file) => ({ file, entry: file.replace(".ts", ".mjs") }));
  return describeModules(entries, async (entry) => files[entry.replace(".mjs", ".ts")]?.() ?? {});
}

/** The one function that `functions/a.ts` exports, as `reserve`. */
export async function describeExport(made: object): Promise<FunctionManifest> {
  const { functions } = await describeFiles({ "functions/a.ts": () => ({ reserve: made }) });
  const [found] = functions;
  if (found === undefined) throw new Error("no function was found");
  return found;
}

export async function faultOf(described: Promise<unknown>): Promise<MillraceError> {
  const thrown: unknown = await described.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof MillraceError)) throw new Error("no MillraceError was thrown", { cause: thrown });
  return thrown;
}
