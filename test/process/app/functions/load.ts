import { type Context, event, Fatal, fn, http } from "millrace";
import { doomOf, failuresOf, STOCK } from "../fates.ts";

/** What stands in an event or an order of the driver. */
interface Item {
  readonly id: string;
  readonly account: string;
  readonly group: string;
  readonly sku: string | null;
}

const outside = event<Item>("load.event");
const ordered = event<Item>("load.order");
const child = event<{ readonly id: string }>("load.child");
const late = event<{ readonly id: string }>("load.late");

/** Short waits, and patience: an instance that is killed for no fault of the function costs an attempt. */
const retry = { attempts: 12, base: "20ms", max: "200ms" } as const;
/** Where it takes nothing from the test: a start costs what all the functions together need, 50 times. */
const instances = { max: 1 } as const;
const several = { max: 3 } as const;

/** Twice run with its effects kept would count to 2. */
async function count(ctx: Context, key: string): Promise<void> {
  await ctx.kv.set(key, ((await ctx.kv.get<number>(key)) ?? 0) + 1);
}

export const order = fn({ on: http.post("/order") }, async (request, ctx) => {
  const item = (await request.json()) as Item;
  await count(ctx, `count/order/${item.id}`);
  await ctx.emit(ordered, item);
  // The invocation is written down and told: a repeated request must tell the one that was written down.
  await ctx.kv.set(`answer/${item.id}`, ctx.id);
  return Response.json({ by: ctx.id }, { status: 202 });
});

export const tally = fn({ on: event<Item>("load.*"), retry, instances: several }, (e, ctx) =>
  count(ctx, `count/tally/${e.type}/${e.data.id}`),
);

export const chosen = fn({ on: event<Item>("load.event", { where: { data: { group: ["a", "b"] } } }), retry, instances }, (e, ctx) =>
  count(ctx, `count/chosen/${e.data.id}`),
);

export const parent = fn({ on: outside, retry, instances }, async (e, ctx) => {
  await ctx.emit(child, { id: e.data.id });
  await ctx.emit(late, { id: e.data.id }, { after: "150ms" });
  await count(ctx, `count/parent/${e.data.id}`);
});

/** Fails after it has written and emitted: nothing of that may be seen. */
export const flaky = fn({ on: outside, retry, instances: several }, async (e, ctx) => {
  await count(ctx, `count/flaky/${e.data.id}`);
  await ctx.emit("flaky.done", { id: e.data.id });
  if (ctx.attempt <= failuresOf("flaky", e.data.id)) throw new Error(`attempt ${ctx.attempt} fails on purpose`);
});

export const afterFlaky = fn({ on: event<{ readonly id: string }>("flaky.done"), retry, instances }, (e, ctx) =>
  count(ctx, `count/afterFlaky/${e.data.id}`),
);

export const doomed = fn({ on: outside, retry: { ...retry, attempts: 6, max: "50ms" } }, async (e, ctx) => {
  await count(ctx, `count/doomed/${e.data.id}`);
  const doom = doomOf(e.data.id);
  if (doom === "fatal") throw new Fatal("dies at once, on purpose");
  if (doom === "exhausted") throw new Error("fails every time, on purpose");
});

export const mourner = fn(
  {
    on: event<{ readonly function: string; readonly event: { readonly data: Item } }>("millrace.delivery.dead"),
    retry,
    instances,
  },
  (e, ctx) => count(ctx, `count/mourner/${e.data.function}/${e.data.event.data.id}`),
);

/** In order within an account, also across attempts that fail. */
export const ledger = fn({ on: outside, key: (e) => e.data.account, retry, instances }, async (e, ctx) => {
  const key = `list/${e.data.account}`;
  await ctx.kv.set(key, [...((await ctx.kv.get<string[]>(key)) ?? []), e.data.id]);
  if (ctx.attempt <= failuresOf("ledger", e.data.id)) throw new Error(`attempt ${ctx.attempt} fails on purpose`);
});

async function sellOne(ctx: Context, sale: string, id: string): Promise<void> {
  const left = (await ctx.kv.get<number>(`${sale}/stock`)) ?? STOCK;
  await count(ctx, left > 0 ? `${sale}/sold/${id}` : `${sale}/refused/${id}`);
  if (left > 0) await ctx.kv.set(`${sale}/stock`, left - 1);
}

const flash = event<Item>("load.order", { where: { data: { sku: ["flash"] } } });

/** The flash sale in order: one at a time by its key. */
export const sell = fn({ on: flash, key: (e) => e.data.sku, retry, instances }, (e, ctx) => sellOne(ctx, "sale", e.data.id));

/** The same at once, all for one stock: only the check of reads at commit keeps it right. */
export const grab = fn({ on: flash, key: null, concurrency: { instance: 2, function: 6 }, retry, instances: several }, (e, ctx) =>
  sellOne(ctx, "grab", e.data.id),
);

export const report = fn({ on: http.get("/report") }, async (request, ctx) => {
  const after = new URL(request.url).searchParams.get("after");
  return ctx.kv.list({ limit: 1000, ...(after === null ? {} : { after }) });
});
