import { readFileSync, writeFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import vm, { type Module, type SourceTextModule } from "node:vm";
import { codeCacheFile } from "../protocol/code-cache.ts";

type Namespace = Record<string, unknown>;

/** A file, with what V8 made of it earlier. */
interface ModuleText {
  readonly source: string;
  readonly cachedData: Buffer | undefined;
}

/** How files came to be compiled: from a code cache that V8 took, in spite of one that it did not take, without one. */
interface CompileCounts {
  cached: number;
  rejected: number;
  source: number;
}

/**
 * The modules of a bundle, in steps: compiled and linked ahead, without running anything of them, and run when their function is there.
 * Node's own `import` knows no such steps, takes 2 to 6 ms of an empty file, and writes its compile cache only where user code could too.
 *
 * What cannot be compiled or linked is left to `import`, which then says why in Node's words.
 */
export class BundleModules {
  private readonly read: (file: string) => ModuleText;
  private readonly modules = new Map<string, SourceTextModule>();
  private readonly builtins = new Map<string, Module>();
  private readonly linked = new Set<SourceTextModule>();
  readonly counts: CompileCounts = { cached: 0, rejected: 0, source: 0 };
  /** Of all that has been compiled. */
  sourceBytes = 0;

  constructor(read = readModule) {
    this.read = read;
  }

  /** Compiles and links a file with all that it imports. Nothing of it runs. */
  async prepare(file: string): Promise<void> {
    if (isSteppable()) await this.link(pathToFileURL(file).href).catch(() => {});
  }

  async import(file: string): Promise<Namespace> {
    const url = pathToFileURL(file).href;
    const module = isSteppable() ? await this.link(url).catch(() => null) : null;
    if (module === null) return (await import(url)) as Namespace;
    await module.evaluate();
    return module.namespace as Namespace;
  }

  private async link(url: string): Promise<SourceTextModule> {
    const root = this.compile(url);
    if (this.linked.has(root)) return root;
    const graph = this.reach(root, url);
    await this.loadBuiltins(graph);
    for (const [module, base] of graph)
      if (!this.linked.has(module)) module.linkRequests(module.moduleRequests.map(({ specifier }) => this.find(specifier, base)));
    root.instantiate();
    for (const module of graph.keys()) this.linked.add(module);
    return root;
  }

  /** A module and all files below it, each with its address. */
  private reach(root: SourceTextModule, rootUrl: string): Map<SourceTextModule, string> {
    const found = new Map([[root, rootUrl]]);
    // A map's iterator comes to what is added meanwhile.
    for (const [module, base] of found) {
      for (const { specifier } of module.moduleRequests) {
        if (isBuiltin(specifier)) continue;
        const url = resolveIn(base, specifier);
        found.set(this.compile(url), url);
      }
    }
    return found;
  }

  private compile(url: string): SourceTextModule {
    const known = this.modules.get(url);
    if (known !== undefined) return known;
    const file = fileURLToPath(url);
    const { source, cachedData } = this.read(file);
    const make = (cache: Buffer | undefined): SourceTextModule =>
      new vm.SourceTextModule(source, {
        identifier: url,
        ...(cache === undefined ? {} : { cachedData: cache }),
        initializeImportMeta: (meta) => describePlace(meta, url, file),
        importModuleDynamically: (specifier) => this.importFrom(url, specifier) as Promise<Module>,
      });
    let module: SourceTextModule;
    try {
      module = make(cachedData);
      this.counts[cachedData === undefined ? "source" : "cached"]++;
    } catch (error) {
      if (cachedData === undefined || !isRejection(error)) throw error;
      module = make(undefined);
      this.counts.rejected++;
    }
    this.modules.set(url, module);
    this.sourceBytes += source.length;
    return module;
  }

  /** Node loads its modules by `import` only in one go with their names; ahead of the call that costs nobody anything. */
  private async loadBuiltins(graph: ReadonlyMap<SourceTextModule, string>): Promise<void> {
    for (const module of graph.keys()) {
      for (const { specifier } of module.moduleRequests) {
        if (!isBuiltin(specifier) || this.builtins.has(specifier)) continue;
        const namespace = (await import(specifier)) as Namespace;
        this.builtins.set(specifier, mirror(specifier, namespace));
      }
    }
  }

  private find(specifier: string, base: string): Module {
    const builtin = this.builtins.get(specifier);
    if (builtin !== undefined) return builtin;
    const module = this.modules.get(resolveIn(base, specifier));
    if (module === undefined) throw new Error(`${specifier} is no file of the bundle`);
    return module;
  }

  /** `import()` in user code: a file of the bundle is the module that it is elsewhere, anything else is Node's affair. */
  private async importFrom(base: string, specifier: string): Promise<unknown> {
    if (isBuiltin(specifier)) return import(specifier);
    if (!/^(?:\.|\/|file:)/.test(specifier)) return import(packageIn(base, specifier));
    const url = resolveIn(base, specifier);
    if (!url.endsWith(".mjs")) return import(url);
    const module = await this.link(url).catch(() => null);
    if (module === null) return import(url);
    await module.evaluate();
    return module;
  }
}

/** A package is looked for from the file that asks, not from this one; one that is not there is left to `import` and its words. */
function packageIn(base: string, specifier: string): string {
  try {
    return pathToFileURL(createRequire(base).resolve(specifier)).href;
  } catch {
    return specifier;
  }
}

/** Compiles a file only to keep what V8 made of it. Runs nothing of it, so what is written is V8's alone. */
export function writeCodeCache(file: string, cacheFile: string): void {
  const identifier = pathToFileURL(file).href;
  const module = new vm.SourceTextModule(readFileSync(file, "utf8"), { identifier }) as unknown as Cacheable;
  writeFileSync(cacheFile, module.createCachedData());
}

/** The types of Node leave out what its documentation has. */
interface Cacheable {
  createCachedData(): Buffer;
}

/** False without the flag, and in a Node that links asynchronously (before 24.8). */
export function isSteppable(): boolean {
  return typeof vm.SourceTextModule === "function" && typeof vm.SourceTextModule.prototype.linkRequests === "function";
}

function mirror(specifier: string, namespace: Namespace): Module {
  const names = Object.keys(namespace);
  const module = new vm.SyntheticModule(
    names,
    () => {
      for (const name of names) module.setExport(name, namespace[name]);
    },
    { identifier: specifier },
  );
  return module;
}

function describePlace(meta: ImportMeta, url: string, file: string): void {
  Object.assign(meta, { dirname: dirname(file), filename: file, url, resolve: (specifier: string) => resolveIn(url, specifier) });
}

function resolveIn(base: string, specifier: string): string {
  if (isBuiltin(specifier)) return specifier.startsWith("node:") ? specifier : `node:${specifier}`;
  return new URL(specifier, base).href;
}

function isRejection(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_VM_MODULE_CACHED_DATA_REJECTED";
}

function readModule(file: string): ModuleText {
  return { source: readFileSync(file, "utf8"), cachedData: readIfThere(codeCacheFile(file)) };
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
