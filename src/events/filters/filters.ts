import { readerOf } from "../attribute.ts";
import { ruleOf } from "../claims/index.ts";
import type { Guard, Rule } from "../patterns/index.ts";
import { allOf, compileFilter, compileListed } from "./compile.ts";
import type { CompiledFilter } from "./compiled-filter.ts";
import type { Filter } from "./filter.ts";

/**
 * Filters of the CloudEvents Subscriptions API made ready.
 *
 * @example
 * const filters = compileFilters([{ prefix: { type: "order." } }, { not: { exact: { source: "/test" } } }]);
 * filters.matches({ id: "1", source: "/shop", type: "order.placed" }); // true
 */
export class Filters {
  /** The events that they match, for a matcher of many rules. */
  readonly rule: Rule;
  private readonly test: Guard["test"];

  constructor({ attributes, test, holds }: CompiledFilter) {
    this.rule = ruleOf(holds, { attributes, test });
    this.test = test;
  }

  /** `event` is a CloudEvent as JSON.parse returns it. */
  matches(event: object): boolean {
    return this.test(readerOf(event));
  }
}

/** Checks filters and makes them ready: of a list all must hold, and an empty one always does. Throws FilterError. */
export function compileFilters(filters: Filter | readonly Filter[]): Filters {
  const source: unknown = filters;
  return new Filters(Array.isArray(source) ? allOf(compileListed(source, "")) : compileFilter(source, ""));
}
