import { fn, http, type KvEntry } from "millrace";
import { isSku, skus } from "../order.ts";

const PAGE = 500;

export const setStock = fn({ on: http.post("/stock/:sku") }, async (request, ctx) => {
  const { sku } = ctx.params;
  const count: unknown = await request.json().catch(() => undefined);
  if (!isSku(sku) || !Number.isSafeInteger(count))
    return Response.json({ reasons: ["a product, and how many there are"] }, { status: 400 });
  await ctx.kv.set(`stock/${sku}`, count);
  return { sku, left: count };
});

export const showStock = fn({ on: http.get("/stock") }, async (_, ctx) => {
  const left = new Map((await ctx.kv.list<number>({ prefix: "stock/" })).map(({ key, value }) => [key, value]));
  return Object.fromEntries(skus.map((sku) => [sku, left.get(`stock/${sku}`) ?? 0]));
});

/** The books, by page, in the order of their keys: `reservation` or `paid`. */
export const showBook = fn({ on: http.get("/books/:book") }, async (request, ctx) => {
  const { book } = ctx.params;
  if (book !== "reservation" && book !== "paid") return Response.json({ reasons: ["there is no such book"] }, { status: 404 });
  const after = new URL(request.url).searchParams.get("after");
  const entries = await ctx.kv.list({ prefix: `${book}/`, limit: PAGE, ...(after === null ? {} : { after }) });
  return { entries: entries.map(withRun), next: entries.length < PAGE ? null : entries.at(-1)?.key };
});

function withRun({ key, value }: KvEntry): object {
  return { run: key.slice(key.indexOf("/") + 1), ...(value as object) };
}
