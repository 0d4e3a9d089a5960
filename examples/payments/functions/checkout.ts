import { Fatal, flow, type Flow, http } from "millrace";
import { centsOf, isOrder, type Order } from "../order.ts";
import { askPayments, lookAtPayment } from "../payment-client.ts";
import { type Mail, sendMail } from "../smtp-client.ts";
import { release, reserve } from "../stock.ts";

/**
 * A checkout: authorise, reserve, capture, confirm. Whichever of it fails for good, what was done before is undone, the last first; so an
 * order is sold whole or not at all.
 */
export const checkout = flow(
  { on: http.post("/checkout"), retry: { attempts: 10, base: "100ms", max: "2s" }, timeout: "2s" },
  async (request, flow) => {
    const order: unknown = await request.json().catch(() => undefined);
    if (!isOrder(order))
      return Response.json({ reasons: ["an order is a JSON object with id, sku, qty, email and card"] }, { status: 400 });

    await authorise(flow, order);
    await flow.step("reserve", (tx) => reserve(tx.kv, tx.id, order), { rollback: (tx) => release(tx.kv, tx.id, order) });
    await capture(flow, order);
    await confirm(flow, order);
    return { order: order.id, cents: centsOf(order) };
  },
);

/**
 * Only finished steps are rolled back, but of one that failed nobody knows whether the service had heard it. So the undoing is promised by
 * a step of its own, before anything is asked for.
 */
async function authorise(flow: Flow, order: Order): Promise<void> {
  await flow.step("promise to void", () => null, { rollback: (tx) => askPayments(tx, "void") });
  await flow.step("authorise", (tx) => askPayments(tx, "authorise", { order: order.id, cents: centsOf(order), card: order.card }));
}

/** The service takes the order to capture at once, and tells later what came of it: perhaps twice, perhaps never. */
async function capture(flow: Flow, order: Order): Promise<void> {
  const notice = await flow.callback<{ readonly captured: number }>("captured", { timeout: "3s" });
  await flow.step("capture", (tx) => askPayments(tx, "capture", { notify: notice.url }));
  const { captured } = (await notice.result()) ?? (await flow.step("look", lookAtPayment));
  if (captured === 0) throw new Fatal("the bank did not pay");
  await flow.step("book", (tx) => tx.kv.set(`paid/${tx.id}`, { order: order.id, cents: captured }), {
    rollback: async (tx) => {
      await askPayments(tx, "refund");
      await tx.kv.delete(`paid/${tx.id}`);
    },
  });
}

/**
 * A mail cannot be taken back, so it comes last. Either the server refuses it before it has it, which is a result like any other; or it is
 * tried until it went, and in the end by a person: a step whose last attempt failed may well have sent it.
 */
async function confirm(flow: Flow, order: Order): Promise<void> {
  const sent = await flow.step("confirm", (tx) => sendMail(confirmation(tx.id, order), Number(tx.env["SMTP_PORT"]), tx.signal), {
    retry: { attempts: 30, base: "100ms", max: "5s", onExhausted: "pause" },
  });
  if (sent.kind === "refused") throw new Error(`the mail was refused: ${sent.words}`);
}

function confirmation(run: string, { id, sku, qty, email }: Order): Mail {
  const total = centsOf({ sku, qty });
  return { id: `${run}/confirm`, to: email, subject: `Your order ${id}`, text: `${qty} × ${sku}\nTotal: ${total} cents` };
}
