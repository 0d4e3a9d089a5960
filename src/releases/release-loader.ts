import { resolve } from "node:path";
import type { Manifest, Release } from "../protocol/manifest.ts";
import { type Bundle, type BundleEntry, Bundler } from "./bundler.ts";
import { checkManifest } from "./check-manifest.ts";
import { loadEnv } from "./load-env.ts";
import { ReleaseFolder, releaseId } from "./release-folder.ts";

/** Extracts the manifest inside a sandbox: the node itself runs no code of the app. */
export type Describe = (directory: string, entries: readonly BundleEntry[], context: DescribeContext) => Promise<Manifest>;

export interface DescribeContext {
  readonly env: Readonly<Record<string, string>>;
  /** Importing the app may load native addons. */
  readonly native: boolean;
}

/** Lays code caches beside a bundle's files: instances start sooner with them, and as well without. */
export type Compile = (directory: string) => Promise<unknown>;

export interface LoadedApp {
  readonly release: Release;
  /** The files the bundle was made from, absolute. */
  readonly inputs: readonly string[];
}

/** Makes releases of one app, as often as it changes. Whole or nothing: an error leaves what was there. */
export class ReleaseLoader {
  private readonly appDirectory: string;
  private readonly describe: Describe;
  private readonly compile: Compile | null;
  private readonly folder: ReleaseFolder;
  private readonly bundler: Bundler;
  /** Loads run one at a time: they share the bundler and the folder. */
  private last: Promise<unknown> = Promise.resolve();

  /** `reloads`: it will be loaded again and again, so what stays the same is kept, and nothing is compiled for later. */
  constructor(
    appDirectory: string,
    dataDirectory: string,
    describe: Describe,
    options: { readonly reloads?: boolean; readonly compile?: Compile } = {},
  ) {
    this.appDirectory = resolve(appDirectory);
    this.describe = describe;
    this.compile = options.reloads === true ? null : (options.compile ?? null);
    this.folder = new ReleaseFolder(resolve(dataDirectory));
    this.bundler = new Bundler(this.appDirectory, options.reloads === true);
  }

  load(): Promise<LoadedApp> {
    const loaded = this.last.then(() => this.loadNow());
    this.last = loaded.catch(() => {});
    return loaded;
  }

  async dispose(): Promise<void> {
    await this.last;
    await this.bundler.dispose();
  }

  private async loadNow(): Promise<LoadedApp> {
    const [bundle, env] = await Promise.all([this.bundler.build(), loadEnv(this.appDirectory)]);
    const id = releaseId(bundle.files, env);
    const { directory, manifest } = await this.folder.publish(id, bundle.files, (folder) => this.describeChecked(folder, bundle, env));
    await this.folder.prune(id);
    return { release: { id, directory, appDirectory: this.appDirectory, manifest, env }, inputs: bundle.inputs };
  }

  private async describeChecked(directory: string, bundle: Bundle, env: Readonly<Record<string, string>>): Promise<Manifest> {
    const compiled = this.compile?.(directory);
    try {
      const manifest = await this.describe(directory, bundle.entries, { env, native: bundle.native });
      checkManifest(manifest);
      return manifest;
    } finally {
      // Not before it is out of the folder, which goes when the app is refused.
      await compiled;
    }
  }
}

/** One-shot: makes a release of an app as it is now. */
export async function loadRelease(appDirectory: string, dataDirectory: string, describe: Describe): Promise<Release> {
  const loader = new ReleaseLoader(appDirectory, dataDirectory, describe);
  try {
    return (await loader.load()).release;
  } finally {
    await loader.dispose();
  }
}
