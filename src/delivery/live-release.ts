import { MillraceError } from "../core/errors.ts";
import type { FunctionManifest, Manifest } from "../protocol/manifest.ts";
import { Router } from "./router.ts";
import { EventSchemas } from "./schemas.ts";

/** What the live release says about routing. Whoever commits asks at that moment, so an event is routed by one release (D9). */
export class LiveRelease {
  readonly schemas = new EventSchemas();
  private currentRouter = new Router({ functions: [], events: [] });
  private currentFunctions: ReadonlyMap<string, FunctionManifest> = new Map();
  private loaded = false;

  get router(): Router {
    return this.currentRouter;
  }

  get functions(): ReadonlyMap<string, FunctionManifest> {
    return this.currentFunctions;
  }

  /** Throws before the first release: an event that is routed by none would be kept and wake nobody (D29). */
  demand(): void {
    if (this.loaded) return;
    throw new MillraceError("overloaded", "the app is not loaded yet", {
      cure: "Repeat in a moment; the node's output says what keeps it.",
    });
  }

  /** Throws, and changes nothing, when a pattern or a schema of the release is wrong. */
  use(manifest: Manifest): void {
    const router = new Router(manifest);
    this.schemas.use(manifest);
    this.loaded = true;
    this.currentRouter = router;
    this.currentFunctions = new Map(manifest.functions.map((fn) => [fn.name, fn]));
  }

  /** `not_found`, with the names that there are. */
  unknown(name: string): MillraceError {
    const known = [...this.currentFunctions.keys()];
    return new MillraceError("not_found", `there is no function "${name}"`, {
      cure:
        known.length === 0
          ? "The app has no functions yet."
          : `There are: ${known.slice(0, 20).join(", ")}${known.length > 20 ? ", …" : ""}.`,
    });
  }
}
