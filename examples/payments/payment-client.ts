import { Fatal, type Tx } from "millrace";

export type PaymentOrder = "authorise" | "capture" | "void" | "refund";

/** What the payment service knows of one payment. */
export interface Payment {
  readonly captured: number;
}

/**
 * Asks the payment service for something. A step may do this more than once: when the answer was lost, or when the node died between the
 * answer and the commit. So each request carries the same key each time, the run's id and the step, by which the service knows it again.
 */
export async function askPayments(tx: Tx, order: PaymentOrder, body: object = {}): Promise<void> {
  const response = await fetch(`${addressOf(tx)}/${order}`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": `${tx.id}/${order}` },
    body: JSON.stringify(body),
    signal: tx.signal,
  });
  const words = await response.text();
  // A refusal is an answer: to ask again would not change it.
  if (response.status >= 400 && response.status < 500) throw new Fatal(words);
  if (!response.ok) throw new Error(`${order}: ${response.status} ${words}`);
}

export async function lookAtPayment(tx: Tx): Promise<Payment> {
  const response = await fetch(addressOf(tx), { signal: tx.signal });
  if (!response.ok) throw new Error(`the payment service answered ${response.status}`);
  return (await response.json()) as Payment;
}

function addressOf({ id, env }: Tx): string {
  return `${env["PAYMENTS_URL"]}/payments/${encodeURIComponent(id)}`;
}
