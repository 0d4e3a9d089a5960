import type { FunctionManifest, HttpMethod, Release, Trigger } from "../../protocol/index.ts";

/** A function's manifest for tests of the gateway: only name and triggers matter here. */
export function functionOf(name: string, triggers: readonly Trigger[]): FunctionManifest {
  return {
    name,
    exportName: name,
    file: "functions/app.ts",
    entry: "app.js",
    triggers,
    key: { kind: "default" },
    onDead: "continue",
    retry: { attempts: 1, backoff: "exponential", baseMs: 1000, factor: 2, maxMs: 3_600_000, jitter: "full" },
    timeoutMs: 10_000,
    memoryBytes: 128 * 1024 ** 2,
    concurrency: { instance: 16, function: null, key: 1 },
    instances: { min: 0, max: null, idleMs: 10_000 },
    allow: [],
    network: true,
  };
}

/** A release with these routes, each `METHOD /path` → the name of its function. */
export function releaseOf(routes: Readonly<Record<string, string>>, appDirectory = "/nowhere"): Release {
  const functions = Object.entries(routes).map(([route, name]) => {
    const [method = "", path = ""] = route.split(" ");
    return functionOf(name, [{ kind: "http", method: method as HttpMethod, path }]);
  });
  return { id: "r1", directory: "/nowhere", appDirectory, manifest: { functions, events: [] }, env: {} };
}
