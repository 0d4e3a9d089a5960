export * from "./code-cache.ts";
export * from "./frame.ts";
export * from "./manifest.ts";
export * from "./messages.ts";
export * from "./versions.ts";
