import { event, fn, http } from "millrace";

export const hello = fn({ on: http.get("/hello") }, () => "hello");

/** The plain consumer: wakes, does nothing, is settled. */
export const work = fn({ on: event("bench.work"), concurrency: 64 }, () => {});

/** Tells how long it took from the sender to here. */
export const latency = fn({ on: event("bench.latency") }, (e) => {
  const { sentMs } = e.data as { sentMs: number };
  console.log(performance.timeOrigin + performance.now() - sentMs);
});

/** Takes one at a time and never ends within a benchmark: what it is sent, waits. */
export const slow = fn({ on: event("bench.backlog"), timeout: "1h", concurrency: { function: 1 } }, (_e, ctx) => {
  return new Promise<void>((resolve) => {
    ctx.signal.addEventListener("abort", () => resolve());
  });
});

export const cold0 = fn({ on: http.get("/cold/0"), instances: { idle: "1ms" } }, () => "cold");

/** Hello for one instance alone, however many ask at once: what a handler that never waits is best given. */
export const helloWide = fn({ on: http.get("/hello/wide"), concurrency: 64 }, () => "hello");

/** Waits as long as it is told, as for a database. */
export const wait = fn({ on: http.get("/wait/:ms"), concurrency: 500 }, async (_request, ctx) => {
  await new Promise((resolve) => {
    setTimeout(resolve, Number(ctx.params.ms));
  });
  return "hello";
});
