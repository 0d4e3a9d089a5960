import { realpath } from "node:fs/promises";
import { relative, resolve, sep } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type BuildContext, type BuildFailure, type BuildOptions, type BuildResult, context, type Message, type Plugin } from "esbuild";
import { MillraceError } from "../core/index.ts";
import * as sdk from "../sdk/index.ts";
import { compileFault } from "./compile-fault.ts";
import { findFunctions } from "./find-functions.ts";
import { isApart, isFresh, type KeptPackages, keepPackages, keptPackagesPlugin, linkPackages } from "./kept-packages.ts";
import { nativePackages } from "./native-packages.ts";
import { sdkPlugin } from "./sdk-plugin.ts";

/** A compiled app, in memory: the paths are the release's own. */
export interface Bundle {
  readonly files: readonly BundleFile[];
  readonly entries: readonly BundleEntry[];
  /** The files it was made from, absolute: what a watcher must look at. */
  readonly inputs: readonly string[];
  /** Packages with native code lie beside it: whoever imports its files may have to load addons. */
  readonly native: boolean;
}

export interface BundleFile {
  readonly path: string;
  readonly contents: Uint8Array;
}

export interface BundleEntry {
  /** The bundle's file. */
  readonly entry: string;
  /** Its source, relative to the app. */
  readonly file: string;
}

/**
 * CommonJS packages inside an ES module still call `require` for Node's own modules, and for addons. Their `__dirname`
 * is replaced by name, since a module may well define one itself.
 */
const BANNER =
  'import { createRequire as millraceCreateRequire } from "node:module"; const require = millraceCreateRequire(import.meta.url);';

function buildOptions(appDirectory: string, files: readonly string[], plugins: readonly Plugin[]) {
  return {
    absWorkingDir: appDirectory,
    entryPoints: files.map((file) => ({ in: `./${file}`, out: withoutExtension(file) })),
    // Nothing is written here. Outputs that stand beside their sources make the paths inside source maps relative to
    // the app, and the same wherever the app lies.
    write: false,
    outdir: appDirectory,
    allowOverwrite: true,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    // .mjs: a module whatever package.json lies above, which the sandbox could not read.
    outExtension: { ".js": ".mjs" },
    chunkNames: "chunks/[name]-[hash]",
    assetNames: "assets/[name]-[hash]",
    loader: { ".node": "copy" },
    sourcemap: "linked",
    sourcesContent: true,
    legalComments: "none",
    jsx: "automatic",
    define: { __dirname: "import.meta.dirname", __filename: "import.meta.filename" },
    banner: { js: BANNER },
    metafile: true,
    logLevel: "silent",
    plugins: [sdkPlugin, ...plugins],
  } as const satisfies BuildOptions;
}

type Context = BuildContext<ReturnType<typeof buildOptions>>;

/** Compiles one app; kept between builds it rebuilds in a few milliseconds, since esbuild remembers what did not change. */
export class Bundler {
  private readonly appDirectory: string;
  private readonly keepsPackages: boolean;
  private kept: { readonly files: readonly string[]; readonly context: Context } | undefined;
  private packages: KeptPackages | null = null;
  private packagesOverlap = false;
  private readonly native = nativePackages();

  /** `keepsPackages`: the app will be built again and again, so its packages are bundled apart, once (kept-packages.ts). */
  constructor(appDirectory: string, keepsPackages = false) {
    this.appDirectory = resolve(appDirectory);
    this.keepsPackages = keepsPackages;
  }

  async build(): Promise<Bundle> {
    const files = await findFunctions(this.appDirectory);
    refuseTwins(files);
    if (files.length === 0) return { files: [], entries: [], inputs: [], native: false };
    const app = await this.compile(files);
    const carried = await this.native.carried();
    return carried.length === 0 ? app : { ...app, files: inOrder([...app.files, ...carried]), native: true };
  }

  private async compile(files: readonly string[]): Promise<Bundle> {
    // esbuild follows links: were the app reached by one, every path in the source maps would lead around it.
    const home = await realpath(this.appDirectory);
    const context = await this.contextFor(home, files);
    if (this.packages !== null && !(await isFresh(this.packages))) this.packages = null;
    const result = await context.rebuild().catch(throwCompileFault);
    if (this.packages === null) {
      if (this.keepsPackages && !this.packagesOverlap) this.packages = await keepPackages(home, result.metafile, [this.native.plugin]);
      return readResult(result, home, files);
    }
    if (isApart(this.packages, home, result.metafile)) return withPackages(readResult(result, home, files), this.packages);
    this.packages = null;
    this.packagesOverlap = true;
    return readResult(await context.rebuild().catch(throwCompileFault), home, files);
  }

  async dispose(): Promise<void> {
    const context = this.kept?.context;
    this.kept = undefined;
    await context?.dispose();
  }

  /** esbuild fixes the entries of a context; a file that came or went needs a new one. */
  private async contextFor(home: string, files: readonly string[]): Promise<Context> {
    if (this.kept !== undefined && isDeepStrictEqual(this.kept.files, files)) return this.kept.context;
    await this.dispose();
    const made = await context(buildOptions(home, files, [this.native.plugin, keptPackagesPlugin(() => this.packages)])).catch(
      throwCompileFault,
    );
    this.kept = { files, context: made };
    return made;
  }
}

/** To make a `require` takes 0.6 ms of a cold start: a file that has no use for one starts without. Its line stays, for the source map. */
function withoutIdleBanner(path: string, contents: Uint8Array): Uint8Array {
  if (!path.endsWith(".mjs")) return contents;
  const text = Buffer.from(contents).toString("utf8");
  const end = BANNER.length;
  return text.startsWith(BANNER) && !text.includes("require", end) ? Buffer.from(text.slice(end)) : contents;
}

function readResult(result: BuildResult<ReturnType<typeof buildOptions>>, home: string, files: readonly string[]): Bundle {
  const outputs = result.outputFiles.map(({ path, contents }) => ({
    path: relative(home, path).replaceAll(sep, "/"),
    contents: withoutIdleBanner(path, contents),
  }));
  return {
    files: inOrder(outputs),
    entries: files.map((file) => ({ entry: `${withoutExtension(file)}.mjs`, file })),
    inputs: Object.keys(result.metafile.inputs)
      .filter((input) => !input.startsWith("millrace:"))
      .map((input) => resolve(home, input)),
    native: false,
  };
}

function inOrder(files: readonly BundleFile[]): BundleFile[] {
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function withPackages(app: Bundle, packages: KeptPackages): Bundle {
  return { ...app, files: inOrder([...app.files.map(linkPackages), ...packages.files]), inputs: [...app.inputs, ...packages.inputs] };
}

/** One-shot: compiles an app and lets esbuild's memory of it go. */
export async function bundle(appDirectory: string): Promise<Bundle> {
  const bundler = new Bundler(appDirectory);
  try {
    return await bundler.build();
  } finally {
    await bundler.dispose();
  }
}

function throwCompileFault(thrown: unknown): never {
  throw isBuildFailure(thrown) ? compileFault(thrown.errors, Object.keys(sdk)) : thrown;
}

function isBuildFailure(thrown: unknown): thrown is BuildFailure & { readonly errors: readonly Message[] } {
  return thrown instanceof Error && "errors" in thrown && Array.isArray(thrown.errors);
}

function refuseTwins(files: readonly string[]): void {
  const first = new Map<string, string>();
  for (const file of files) {
    const twin = first.get(withoutExtension(file));
    if (twin !== undefined) {
      throw new MillraceError("compile_failed", `${twin} and ${file} differ in their extension only`, {
        cure: "Rename or remove one of them.",
      });
    }
    first.set(withoutExtension(file), file);
  }
}

function withoutExtension(file: string): string {
  return file.replace(/\.[^./]+$/, "");
}
