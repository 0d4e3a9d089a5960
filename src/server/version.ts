import { readFileSync } from "node:fs";

/** The version of the running package, from its package.json, which lies two folders above both src/server and dist/server. */
export const VERSION: string = (JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string })
  .version;
