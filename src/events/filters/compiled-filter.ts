import type { Claim } from "../claims/index.ts";
import type { Guard } from "../patterns/index.ts";

/** A filter made ready: where it holds and where it does not, as far as patterns can say it, and the test that always knows. */
export interface CompiledFilter {
  readonly attributes: readonly string[];
  readonly test: Guard["test"];
  readonly holds: Claim;
  readonly fails: Claim;
}
