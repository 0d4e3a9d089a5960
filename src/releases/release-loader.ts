import { resolve } from "node:path";
import type { Manifest, Release } from "../protocol/manifest.ts";
import { type Bundle, type BundleEntry, bundle as bundleOnce, Bundler } from "./bundler.ts";
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

export interface ReleaseLoaderOptions {
  /** It will be loaded again and again, so what stays the same is kept, and nothing is compiled for later. */
  readonly reloads?: boolean;
  readonly compile?: Compile;
  /** The releases that must not go though newer ones have come: live runs are on them. */
  readonly held?: () => Promise<ReadonlySet<string>>;
}

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
  private readonly held: () => Promise<ReadonlySet<string>>;
  private readonly folder: ReleaseFolder;
  private readonly bundler: Bundler;
  /** Loads run one at a time: they share the bundler and the folder. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(appDirectory: string, dataDirectory: string, describe: Describe, options: ReleaseLoaderOptions = {}) {
    this.appDirectory = resolve(appDirectory);
    this.describe = describe;
    this.compile = options.reloads === true ? null : (options.compile ?? null);
    this.held = options.held ?? (async () => new Set());
    this.folder = new ReleaseFolder(resolve(dataDirectory));
    this.bundler = new Bundler(this.appDirectory, options.reloads === true);
  }

  load(): Promise<LoadedApp> {
    return this.inTurn(() => this.loadNow());
  }

  /** A release of this or another folder that is only to be tried: none goes for it, and nothing is compiled for later. */
  loadAside(appDirectory: string = this.appDirectory): Promise<Release> {
    return this.inTurn(() => this.loadAsideNow(resolve(appDirectory)));
  }

  async dispose(): Promise<void> {
    await this.last;
    await this.bundler.dispose();
  }

  private inTurn<T>(load: () => Promise<T>): Promise<T> {
    const loaded = this.last.then(load);
    this.last = loaded.catch(() => {});
    return loaded;
  }

  private async loadNow(): Promise<LoadedApp> {
    const [bundle, env] = await Promise.all([this.bundler.build(), loadEnv(this.appDirectory)]);
    const release = await this.publish({ bundle, env, appDirectory: this.appDirectory }, this.compile);
    await this.folder.prune(release.id, this.held);
    return { release, inputs: bundle.inputs };
  }

  private async loadAsideNow(appDirectory: string): Promise<Release> {
    const isOwn = appDirectory === this.appDirectory;
    const [bundle, env] = await Promise.all([isOwn ? this.bundler.build() : bundleOnce(appDirectory), loadEnv(appDirectory)]);
    return this.publish({ bundle, env, appDirectory }, null);
  }

  private async publish({ bundle, env, appDirectory }: Built, compile: Compile | null): Promise<Release> {
    const id = releaseId(bundle.files, env);
    const { directory, manifest } = await this.folder.publish(id, bundle.files, async (folder) => {
      const compiled = compile?.(folder);
      try {
        const manifest = await this.describe(folder, bundle.entries, { env, native: bundle.native });
        checkManifest(manifest);
        return manifest;
      } finally {
        // Not before it is out of the folder, which goes when the app is refused.
        await compiled;
      }
    });
    return { id, directory, appDirectory, manifest, env };
  }
}

/** An app as it is now, on its way to a release. */
interface Built {
  readonly bundle: Bundle;
  readonly env: Readonly<Record<string, string>>;
  readonly appDirectory: string;
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
