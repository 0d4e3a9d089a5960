export * from "./code-cache.ts";
export * from "./frame.ts";
export * from "./kept-value.ts";
export * from "./manifest.ts";
export * from "./messages.ts";
export * from "./value-for-people.ts";
export * from "./value-text.ts";
export * from "./versions.ts";
