import { type Context, event, fn, http } from "millrace";

/** Tells where it runs (in a jail its process has a number of its own) and waits for good: a test kills that process. */
function wait(word: string, ctx: Context): Promise<never> {
  ctx.log.info(word, process.cwd());
  return new Promise(() => {});
}

export const waits = fn({ on: http.any("/waits/:key") }, async (_request, ctx) => {
  if ((await ctx.kv.get(ctx.params.key)) === undefined) await wait(ctx.params.key, ctx);
  return `done after ${ctx.params.key}`;
});

export const woken = fn({ on: event("woken") }, async (_event, ctx) => {
  if (ctx.attempt === 1) await wait("event", ctx);
  await ctx.emit("woken.done", { attempt: ctx.attempt });
});

export const flows = fn({ on: http.get("/flows") }, (_request, ctx) => {
  ctx.log.info("flow", process.cwd());
  const beginning = new TextEncoder().encode("the beginning");
  return new Response(new ReadableStream({ start: (controller) => controller.enqueue(beginning) }));
});

export const exits = fn({ on: http.get("/exits") }, (_request, ctx) => {
  ctx.log.info("exits", process.cwd());
  process.exit(3);
});
