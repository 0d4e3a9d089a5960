import { existsSync } from "node:fs";
import { readdir, readFile, realpath } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import type { Plugin } from "esbuild";
import { MillraceError } from "../core/index.ts";
import type { BundleFile } from "./bundler.ts";

/**
 * Packages with native code (sharp, better-sqlite3, canvas) find their addons by names that they make up when they run, which no bundler
 * can follow. They are not bundled but carried: the package and all that it depends on, as they are installed, in the release's node_modules.
 */
export interface NativePackages {
  readonly plugin: Plugin;
  /** What a build came to, to be carried beside it. */
  carried(): Promise<readonly BundleFile[]>;
}

interface PackageFacts {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly gypfile?: boolean;
}

/** Packages that others use to find or to build their addon. */
const ADDON_HELPERS = ["bindings", "node-gyp-build", "node-pre-gyp", "@mapbox/node-pre-gyp", "prebuild-install", "node-addon-api"];
const FOLDER = "node_modules";

export function nativePackages(): NativePackages {
  /** By name, where it was found. What an app under development imports no more is carried on until the next start. */
  const found = new Map<string, string>();
  const known = new Map<string, Promise<boolean>>();
  const plugin: Plugin = {
    name: "native-packages",
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, async ({ path, resolveDir, kind }) => {
        if (kind === "entry-point" || resolveDir === "" || path.startsWith("node:")) return undefined;
        const name = packageName(path);
        const folder = await findPackage(name, resolveDir);
        if (folder === null) return undefined;
        let isNative = known.get(folder);
        if (isNative === undefined) known.set(folder, (isNative = hasAddons(folder)));
        if (!(await isNative)) return undefined;
        const before = found.get(name);
        if (before !== undefined && before !== folder)
          return { errors: [{ text: `${name} is installed twice: ${before} and ${folder}. ${ONE_VERSION}` }] };
        found.set(name, folder);
        return { path, external: true };
      });
    },
  };
  return { plugin, carried: () => carry(found) };
}

const ONE_VERSION = "A package with native code can be there in one version only";

/** Breadth first, so that what is asked for directly stands at the top, where every file finds it; another version stands below who asks for it. */
async function carry(roots: ReadonlyMap<string, string>): Promise<readonly BundleFile[]> {
  const places = new Map<string, string>();
  const queue = [...roots].map(([name, folder]) => ({ name, folder, below: "" }));
  for (const { name, folder, below } of queue) {
    const top = `${FOLDER}/${name}`;
    if (places.get(top) === folder) continue;
    const place = places.has(top) ? `${below}/${top}` : top;
    if (places.has(place)) continue;
    places.set(place, folder);
    const { dependencies = {}, optionalDependencies = {} } = await readFacts(folder);
    for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const there = await findPackage(dependency, folder);
      if (there !== null) queue.push({ name: dependency, folder: there, below: place });
      else if (!(dependency in optionalDependencies)) throw notInstalled(name, dependency);
    }
  }
  const files = await Promise.all([...places].map(([place, folder]) => readPackage(place, folder)));
  return files.flat();
}

function notInstalled(name: string, dependency: string): MillraceError {
  return new MillraceError("compile_failed", `${name} needs ${dependency}, which is not installed`, { cure: "Run `npm install`." });
}

async function readPackage(place: string, folder: string): Promise<BundleFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  return Promise.all(
    paths
      .filter((path) => !path.split(sep).includes(FOLDER))
      .map(async (path) => ({ path: `${place}/${path.replaceAll(sep, "/")}`, contents: await readFile(join(folder, path)) })),
  );
}

/** Whether it brings machine code that it looks for when it runs. One that names its file in a `require` is bundled with it. */
async function hasAddons(folder: string): Promise<boolean> {
  const { dependencies = {}, optionalDependencies = {}, gypfile } = await readFacts(folder);
  if (gypfile === true || existsSync(join(folder, "binding.gyp"))) return true;
  if (ADDON_HELPERS.some((helper) => helper in dependencies)) return true;
  // One package for each platform: those of the others are not installed.
  for (const name of Object.keys(optionalDependencies)) {
    const there = await findPackage(name, folder);
    if (there !== null && (await bringsAddon(there))) return true;
  }
  return false;
}

async function bringsAddon(folder: string): Promise<boolean> {
  const names = await readdir(folder, { recursive: true });
  return names.some((name) => name.endsWith(".node"));
}

/** As Node looks: in every node_modules from here upwards. Links are followed, since what lies beside their target is found from there. */
async function findPackage(name: string, from: string): Promise<string | null> {
  for (let folder = from; ; folder = dirname(folder)) {
    const there = join(folder, FOLDER, name);
    if (existsSync(join(there, "package.json"))) return realpath(there);
    if (dirname(folder) === folder) return null;
  }
}

async function readFacts(folder: string): Promise<PackageFacts> {
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as PackageFacts;
}

function packageName(path: string): string {
  const [first = "", second = ""] = path.split("/");
  return first.startsWith("@") ? `${first}/${second}` : first;
}
