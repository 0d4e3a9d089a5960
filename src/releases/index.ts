export { AppWatcher, watchApp } from "./app-watcher.ts";
export { bundle, type Bundle, type BundleEntry, type BundleFile, Bundler } from "./bundler.ts";
export { checkManifest } from "./check-manifest.ts";
export type { CompileFault } from "./compile-fault.ts";
export { findFunctions } from "./find-functions.ts";
export { loadEnv } from "./load-env.ts";
export { openRelease, type PresentApp } from "./open-release.ts";
export { type Describe, type LoadedApp, loadRelease, ReleaseLoader } from "./release-loader.ts";
