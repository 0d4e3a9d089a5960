import { Worker } from "node:worker_threads";
import type { WorkerData } from "./requests.ts";

/** The threads run the sources as they stand in a checkout, and the compiled files in an installed package. */
const EXTENSION = import.meta.url.endsWith(".ts") ? "ts" : "js";

/** Batches die young: left to itself the writer's nursery grew by 50 MB for a tenth less work. */
const LIMITS = { maxYoungGenerationSizeMb: 8 };

export function startThread(name: "writer" | "reader", workerData: WorkerData): Worker {
  return new Worker(new URL(`./${name}.${EXTENSION}`, import.meta.url), { workerData, resourceLimits: LIMITS, name: `store ${name}` });
}
