import { event, fn, http } from "millrace";

/** Writes what it was given, and says so. */
export const note = fn({ on: http.post("/note/:n") }, async (request, ctx) => {
  await ctx.kv.set(`note/${ctx.params.n}`, await request.text());
  return new Response("noted", { status: 202 });
});

/** Its own writes go on beside the acknowledgements. */
export const heard = fn({ on: event("sync.event") }, (e, ctx) => ctx.kv.set(`heard/${e.id}`, true));
