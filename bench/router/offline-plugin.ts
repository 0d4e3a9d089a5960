import { createRequire } from "node:module";
import { join } from "node:path";
import { rival } from "../rivals.ts";
import type { BusEvent } from "./mixed-rules.ts";

const FOLDER = join(import.meta.dirname, "../rivals");
const NAME = "serverless-offline-aws-eventbridge";

/** What of the plugin's class is about matching, by its own names. */
interface Plugin {
  verifyIsSubscribed(
    subscriber: { readonly functionKey: string; readonly event: { readonly pattern: object } },
    entry: { readonly Source: string; readonly DetailType: string; readonly Detail: string },
  ): boolean;
  verifyIfValueMatchesEventBridgePatterns(object: object, field: string, patterns: unknown): boolean;
  flattenObject(pattern: object): Record<string, unknown>;
}

/** Null, with the reason on stderr, where the plugin is not there and cannot be fetched. */
export function openOfflinePlugin(): OfflinePlugin | null {
  return rival(NAME) === null ? null : new OfflinePlugin();
}

/** The matcher inside `serverless-offline-aws-eventbridge`, which is how JavaScript users match EventBridge patterns on their own machines. */
export class OfflinePlugin {
  private readonly plugin: Plugin;

  constructor() {
    const PluginClass = createRequire(join(FOLDER, "package.json"))(NAME) as new (...settings: object[]) => Plugin;
    const quiet = (): void => {};
    this.plugin = new PluginClass({}, {}, { log: { debug: quiet, notice: quiet } });
  }

  /** As the plugin asks it for each event that is put: `detail` is JSON and parsed for each rule. */
  isSubscribed(rule: object, event: BusEvent, detail: string): boolean {
    const entry = { Source: event.source, DetailType: event["detail-type"], Detail: detail };
    return this.plugin.verifyIsSubscribed({ functionKey: "", event: { pattern: rule } }, entry);
  }

  /**
   * The plugin's comparison of one field with its list, on an event that is parsed and a pattern that is flattened beforehand, and only
   * until a field does not fit: the best that can be made of it.
   */
  matches({ types, fields }: FlatRule, event: BusEvent): boolean {
    if (types !== null && !this.plugin.verifyIfValueMatchesEventBridgePatterns({ DetailType: event["detail-type"] }, "DetailType", types))
      return false;
    return fields.every(([path, alternatives]) => this.plugin.verifyIfValueMatchesEventBridgePatterns(event.detail, path, alternatives));
  }

  flatten(types: readonly string[] | null, detail: object): FlatRule {
    return { types, fields: Object.entries(this.plugin.flattenObject(detail)) };
  }
}

export interface FlatRule {
  /** Null where any type will do. */
  readonly types: readonly string[] | null;
  readonly fields: readonly (readonly [path: string, alternatives: unknown])[];
}
