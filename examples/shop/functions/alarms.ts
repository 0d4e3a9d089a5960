import { event, fn, http } from "millrace";

interface DeadDelivery {
  readonly delivery: number;
  readonly function: string;
  readonly attempts: number;
  readonly error: { readonly message: string };
}

/** A delivery that used up its attempts is itself an event. This one rings a bell; `millrace dead list` shows them all. */
export const alarm = fn({ on: event<DeadDelivery>("millrace.delivery.dead") }, async (e, ctx) => {
  const { delivery, attempts, error } = e.data;
  const text = `${e.data.function} gave up after ${attempts} attempts: ${error.message}`;
  ctx.log.warn(text);
  await ctx.kv.set(`alarm/${e.id}`, { delivery, text }, { ttl: "7d" });
});

export const listAlarms = fn({ on: http.get("/alarms") }, async (_, ctx) => {
  const alarms = await ctx.kv.list({ prefix: "alarm/" });
  return alarms.map(({ value }) => value);
});
