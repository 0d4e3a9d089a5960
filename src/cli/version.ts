import { readFileSync } from "node:fs";

/** Of the package that runs; its package.json lies two folders above, in src and in dist alike. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
  return version;
}
