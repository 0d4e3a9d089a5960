import { fn, http } from "millrace";
import { catalogue } from "../catalogue.ts";
import { orderConfirmed, orderRejected } from "../events.ts";
import { pageOf } from "../page.ts";

export interface Mail {
  readonly order: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** Tells the customer how it ended. All mails on one order lie under one key, so that a second one would be seen. */
export const notify = fn({ on: [orderConfirmed, orderRejected], key: (e) => e.data.id }, async (e, ctx) => {
  const { id, sku, qty, email } = e.data;
  const goods = `${qty} × ${catalogue[sku].name}`;
  const mail: Mail =
    e.type === "order.confirmed"
      ? { order: id, to: email, subject: "Your order is on its way", text: `${goods}, parcel ${e.data.parcel}.` }
      : { order: id, to: email, subject: "We could not take your order", text: `${goods}: ${e.data.reason}. You have paid nothing.` };
  const sent = (await ctx.kv.get<Mail[]>(`mail/${id}`)) ?? [];
  await ctx.kv.set(`mail/${id}`, [...sent, mail]);
});

/** The outbox, open to everybody: fine for an example, and for nothing else. */
export const listMails = fn({ on: http.get("/mails") }, async (request, ctx) => {
  return Response.json(await pageOf<Mail[]>(ctx.kv, "mail/", request.url));
});
