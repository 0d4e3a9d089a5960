#!/usr/bin/env node
// Nothing is imported before the version is known to do: an older Node would stop at the first import, and not say why.
const OLDEST_NODE = 24;

const major = Number(process.versions.node.split(".")[0]);
if (major < OLDEST_NODE) {
  process.stderr.write(`millrace: this is Node.js ${process.versions.node}, but Millrace needs ${OLDEST_NODE} or newer\n`);
  process.stderr.write("  → Install a newer Node.js (https://nodejs.org), or run it with `npx node@26`.\n");
  process.exitCode = 1;
} else {
  // Before anything is compiled: what the cache has was made under the flags of its time.
  const { setFlagsFromString } = await import("node:v8");
  const { collectorFlags } = await import("../core/collector.ts");
  for (const flag of collectorFlags()) setFlagsFromString(flag);
  // Half of a start is compiling (0.9 s without, 0.45 s with a warm cache), and it is the same code every time.
  const { enableCompileCache, getCompileCacheDir } = await import("node:module");
  enableCompileCache();
  // The store's threads find it by the environment; instances get none of that.
  process.env["NODE_COMPILE_CACHE"] ??= getCompileCacheDir() ?? "";
  const { main } = await import("./cli.ts");
  process.exitCode = await main(process.argv.slice(2));
}
