import { event, fn, http } from "millrace";
import { notice } from "../notice.ts";

/** Wakes for whatever comes from GitHub, beside those who picked what is theirs. */
export const everything = fn({ on: event("github.*"), concurrency: { function: 1 } }, async (e, ctx) => {
  await notice(ctx, "everything", e, e.subject === undefined ? e.type : `${e.type} in ${e.subject}`);
});

/** How many each function has seen. */
export const counts = fn({ on: http.get("/counts") }, async (_, ctx) => {
  const entries = await ctx.kv.list<number>({ prefix: "count/" });
  return Object.fromEntries(entries.map(({ key, value }) => [key.slice("count/".length), value]));
});

/** The lines of one function: `/notices/failingChecks`. */
export const notices = fn({ on: http.get("/notices/:board") }, async (_, ctx) => {
  const entries = await ctx.kv.list<string>({ prefix: `notice/${ctx.params.board}/`, limit: 100 });
  return entries.map(({ value }) => value);
});
