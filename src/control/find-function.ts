import { MillraceError } from "../core/errors.ts";
import { didYouMean } from "../core/near-miss.ts";
import type { FunctionManifest, Release } from "../protocol/manifest.ts";

export function findFunction(name: string, release: Release | null): FunctionManifest {
  const found = release?.manifest.functions.find((each) => each.name === name);
  if (found === undefined) throw noFunction(name, release);
  return found;
}

export function noFunction(name: string, release: Release | null): MillraceError {
  const known = (release?.manifest.functions ?? []).map((each) => each.name);
  return new MillraceError("not_found", `there is no function "${name}"${didYouMean(name, known)}`, {
    cure: "`millrace functions` lists those there are.",
  });
}
