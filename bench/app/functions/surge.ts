import { setTimeout as sleep } from "node:timers/promises";
import { fn, http } from "millrace";

/** Idle for three seconds, so that a run sees them go. */
const instances = { idle: "3s" } as const;

export const waits = fn({ on: http.get("/surge/waits"), instances }, async () => {
  await sleep(20);
  return "waited";
});

export const computes = fn({ on: http.get("/surge/computes"), instances }, () => {
  const untilMs = performance.now() + 5;
  while (performance.now() < untilMs);
  return "computed";
});

export const crowd = fn({ on: http.get("/surge/crowd"), concurrency: 1000, instances }, async () => {
  await sleep(1000);
  return "waited";
});
