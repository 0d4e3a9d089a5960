import { fn, http } from "millrace";

const PAGE = 1_000;

/** How often each part of a run has been done, by page. */
export const showParts = fn({ on: http.get("/totals/:run/parts") }, async (request, ctx) => {
  const after = new URL(request.url).searchParams.get("after");
  const prefix = `part/${ctx.params.run}/`;
  const entries = await ctx.kv.list<number>({ prefix, limit: PAGE, ...(after === null ? {} : { after }) });
  return { counts: entries.map(({ value }) => value), next: entries.length < PAGE ? null : entries.at(-1)?.key };
});
