import { type Context, event, fn } from "millrace";
import { catalogue } from "../catalogue.ts";
import { inventoryRelease, orderRejected, orderReserved, paymentTaken, type PlacedOrder, withoutCard } from "../events.ts";
import { charge } from "../payment-provider.ts";

/** Takes the money. When the provider does not answer, `charge` throws: nothing is kept, and the event comes again later. */
export const payment = fn(
  { on: orderReserved, key: (e) => e.data.id, retry: { attempts: 4, base: "2s", max: "1m" }, timeout: "10s" },
  async (e, ctx) => {
    const { id, sku, qty, card } = e.data;
    const cents = catalogue[sku].priceCents * qty;
    const answer = await charge({ card, cents, reference: id, attempt: ctx.attempt });
    if (answer === "taken") await ctx.emit(paymentTaken, { id, cents });
    else await reject(ctx, e.data, "card declined");
  },
);

interface DeadPayment {
  readonly event: { readonly data: PlacedOrder };
}

/** After its last attempt a payment is dead. Nobody shall wait for it for ever: the goods go back, the customer is told. */
export const giveUpPayment = fn(
  { on: event<DeadPayment>("millrace.delivery.dead", { where: { data: { function: ["payment"] } } }) },
  (e, ctx) => reject(ctx, e.data.event.data, "payment failed"),
);

async function reject(ctx: Context, order: PlacedOrder, reason: string): Promise<void> {
  const { id, sku, qty } = order;
  await ctx.emit(orderRejected, { ...withoutCard(order), reason });
  await ctx.emit(inventoryRelease, { id, sku, qty });
}
