import type { FunctionManifest, Release } from "../../protocol/manifest.ts";

/** A function with every option at its default. */
export function functionOf(name: string, more: Partial<FunctionManifest> = {}): FunctionManifest {
  return {
    name,
    exportName: name,
    file: "functions/test.ts",
    entry: "test.js",
    triggers: [],
    key: { kind: "default" },
    onDead: "continue",
    retry: { attempts: 5, backoff: "exponential", baseMs: 1000, factor: 2, maxMs: 3_600_000, jitter: "full" },
    timeoutMs: 30_000,
    memoryBytes: 128 * 1024 * 1024,
    concurrency: { instance: 16, function: null, key: 1 },
    instances: { min: 0, max: null, idleMs: 60_000 },
    allow: [],
    network: true,
    ...more,
  };
}

export function releaseOf(functions: readonly FunctionManifest[]): Release {
  return { id: "test", directory: "/nowhere", appDirectory: "/nowhere", manifest: { functions, events: [] }, env: {} };
}

/** A function that an event type wakes. */
export function listener(name: string, type: string, more: Partial<FunctionManifest> = {}): FunctionManifest {
  return functionOf(name, { triggers: [{ kind: "event", type, where: null, sql: null }], ...more });
}
