import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { posix, resolve } from "node:path";
import { build, type Metafile, type Plugin } from "esbuild";
import type { BundleFile } from "./bundler.ts";

/**
 * Packages bundled once, for as long as an app is being developed: linking zod anew at every change of one line cost 160 ms.
 *
 * 1. Only packages whose whole closure is ES modules are kept: what a CommonJS module exports is known only when it runs.
 * 2. All kept packages are one build, so that they share what they share; no file of theirs may also stand in the app's own
 *    bundle, or it would run twice. Where that happens nothing is kept for this app.
 * 3. A kept file that changes on disk ends the keeping; the next build starts over.
 */
export interface KeptPackages {
  /** Where a resolved file of a package stands in the release. */
  readonly places: ReadonlyMap<string, string>;
  readonly files: readonly BundleFile[];
  /** Absolute. */
  readonly inputs: readonly string[];
  readonly stamp: string;
}

const FOLDER = "packages";
const MARK = "millrace-package:";

/** Bundles what the app's own files import from packages, as far as rule 1 allows; null when that is nothing. */
export async function keepPackages(home: string, metafile: Metafile, plugins: readonly Plugin[]): Promise<KeptPackages | null> {
  const entries = packageEntries(metafile).filter((input) => isAllModules(metafile, input));
  if (entries.length === 0) return null;
  const result = await build({
    absWorkingDir: home,
    entryPoints: entries.map((input) => ({ in: resolve(home, input), out: outOf(input) })),
    write: false,
    outdir: `${home}/${FOLDER}`,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    outExtension: { ".js": ".mjs" },
    chunkNames: "shared-[hash]",
    legalComments: "none",
    metafile: true,
    logLevel: "silent",
    plugins: [...plugins],
  });
  const inputs = Object.keys(result.metafile.inputs).map((input) => resolve(home, input));
  return {
    places: new Map(entries.map((input) => [resolve(home, input), `${FOLDER}/${outOf(input)}.mjs`])),
    files: result.outputFiles.map(({ path, contents }) => ({ path: posix.relative(home, path), contents })),
    inputs,
    stamp: await stampOf(inputs),
  };
}

export async function isFresh(kept: KeptPackages): Promise<boolean> {
  return (await stampOf(kept.inputs)) === kept.stamp;
}

/** Rule 2. */
export function isApart(kept: KeptPackages, home: string, metafile: Metafile): boolean {
  const inputs = new Set(kept.inputs);
  return !Object.keys(metafile.inputs).some((input) => inputs.has(resolve(home, input)));
}

/** Leaves imports of kept packages to be linked by `linkPackages`. */
export function keptPackagesPlugin(kept: () => KeptPackages | null): Plugin {
  const asked = Symbol("asked");
  return {
    name: "kept-packages",
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
        const { places } = kept() ?? {};
        if (places === undefined || kind !== "import-statement" || pluginData === asked || /^(?:millrace|node:)/.test(path))
          return undefined;
        const found = await build.resolve(path, { importer, resolveDir, kind, pluginData: asked });
        const place = places.get(found.path);
        return place === undefined ? undefined : { path: MARK + place, external: true };
      });
    },
  };
}

/** Writes into a compiled file where the kept packages lie, seen from it. */
export function linkPackages(file: BundleFile): BundleFile {
  if (!file.path.endsWith(".mjs")) return file;
  const text = Buffer.from(file.contents).toString("utf8");
  if (!text.includes(MARK)) return file;
  const linked = text.replaceAll(new RegExp(`"${MARK}([^"]+)"`, "g"), (_, place: string) => {
    const path = posix.relative(posix.dirname(file.path), place);
    return JSON.stringify(path.startsWith(".") ? path : `./${path}`);
  });
  return { path: file.path, contents: Buffer.from(linked) };
}

/** The files of packages that the app's own files import. */
function packageEntries(metafile: Metafile): string[] {
  const entries = new Set<string>();
  for (const [input, { imports }] of Object.entries(metafile.inputs)) {
    if (isOfPackage(input)) continue;
    for (const { path, kind, external } of imports)
      if (external !== true && kind === "import-statement" && isOfPackage(path)) entries.add(path);
  }
  return [...entries].sort();
}

function isAllModules(metafile: Metafile, entry: string): boolean {
  const seen = new Set<string>();
  const queue = [entry];
  for (let input = queue.pop(); input !== undefined; input = queue.pop()) {
    if (seen.has(input)) continue;
    seen.add(input);
    const facts = metafile.inputs[input];
    if (facts?.format !== "esm" || !isOfPackage(input)) return false;
    for (const { path, external } of facts.imports) if (external !== true) queue.push(path);
  }
  return true;
}

function isOfPackage(input: string): boolean {
  return input.split("/").includes("node_modules");
}

function outOf(input: string): string {
  const name = /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules\/)/.exec(input)?.[1] ?? "package";
  return `${name.replaceAll(/[^\w.-]/g, "-")}-${createHash("sha256").update(input).digest("hex").slice(0, 8)}`;
}

async function stampOf(inputs: readonly string[]): Promise<string> {
  const stamps = await Promise.all(
    inputs.map((input) =>
      stat(input).then(
        ({ mtimeMs, size }) => `${mtimeMs}/${size}`,
        () => "gone",
      ),
    ),
  );
  return stamps.join(" ");
}
