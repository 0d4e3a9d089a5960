import { MillraceError } from "../core/errors.ts";
import type { FunctionManifest, Manifest, Release } from "../protocol/manifest.ts";
import { Router } from "./router.ts";
import { EventSchemas } from "./schemas.ts";
import { WaitTopics } from "./wait-topics.ts";

/** What the live release says about routing. Whoever commits asks at that moment, so an event is routed by one release (D9). */
export class LiveRelease {
  readonly schemas = new EventSchemas();
  /** Topics outlive releases: the waits of earlier runs go on. */
  readonly topics = new WaitTopics();
  private readonly now: () => number;
  private currentId = "";
  private currentRouter: Router;
  private currentFunctions: ReadonlyMap<string, FunctionManifest> = new Map();
  /** Flows that only runs on earlier releases have. */
  private keptFunctions: ReadonlyMap<string, FunctionManifest> = new Map();
  private loaded = false;

  constructor(now: () => number) {
    this.now = now;
    this.currentRouter = this.route({ functions: [], events: [] }, "");
  }

  get id(): string {
    return this.currentId;
  }

  get router(): Router {
    return this.currentRouter;
  }

  get functions(): ReadonlyMap<string, FunctionManifest> {
    return this.currentFunctions;
  }

  /** The function whose deliveries are run: of the live release, else a flow that runs on an earlier one still need. */
  runnable(name: string): FunctionManifest | undefined {
    return this.currentFunctions.get(name) ?? this.keptFunctions.get(name);
  }

  *runnableNames(): Generator<string> {
    yield* this.currentFunctions.keys();
    for (const name of this.keptFunctions.keys()) if (!this.currentFunctions.has(name)) yield name;
  }

  keep(flows: ReadonlyMap<string, FunctionManifest>): void {
    this.keptFunctions = flows;
  }

  /** Throws before the first release: an event that is routed by none would be kept and wake nobody (D29). */
  demand(): void {
    if (this.loaded) return;
    throw new MillraceError("overloaded", "the app is not loaded yet", {
      cure: "Repeat in a moment; the node's output says what keeps it.",
    });
  }

  /** Throws, and changes nothing, when a pattern or a schema of the release is wrong. */
  use({ id, manifest }: Pick<Release, "id" | "manifest">): void {
    const router = this.route(manifest, id);
    this.schemas.use(manifest);
    this.loaded = true;
    this.currentId = id;
    this.currentRouter = router;
    this.currentFunctions = new Map(manifest.functions.map((fn) => [fn.name, fn]));
  }

  private route(manifest: Manifest, release: string): Router {
    return new Router(manifest, { release, topics: this.topics, now: this.now });
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
