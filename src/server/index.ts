export { createNode, type MillraceNode, type NodeAddresses, type NodeOptions } from "./node.ts";
export { resolveSettings, type Setting, type SettingName, type Settings, SETTINGS } from "./settings.ts";
export { VERSION } from "./version.ts";
