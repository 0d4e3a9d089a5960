import { fn, http } from "millrace";
import { accountOf, keepAccount } from "../account.ts";
import { sentTo } from "../outbox.ts";
import { onboarding } from "./onboarding.ts";

/**
 * Begins the run in the transaction that notes the account: one is not there without the other. Whether an address is known already is
 * nobody's business, so the answer is always the same.
 */
export const signUp = fn({ on: http.post("/signups") }, async (request, ctx) => {
  const email = emailOf(await request.json().catch(() => undefined));
  if (email === undefined) return Response.json({ reasons: ["email: an address is needed"] }, { status: 400 });
  if ((await accountOf(ctx.kv, email)) === undefined) {
    const { id } = await ctx.start(onboarding, { email });
    await keepAccount(ctx.kv, email, { state: "asked", run: id });
  }
  return Response.json({ next: "look into your mailbox" }, { status: 202 });
});

export const showAccount = fn({ on: http.get("/accounts/:email") }, async (_, ctx) => {
  const account = await accountOf(ctx.kv, ctx.params.email);
  return account === undefined ? Response.json({ reasons: ["nobody signed up with this address"] }, { status: 404 }) : account;
});

/** The mailbox, open to everybody: fine for an example, and for nothing else. */
export const showMails = fn({ on: http.get("/mails/:email") }, (_, ctx) => sentTo(ctx.kv, ctx.params.email));

function emailOf(body: unknown): string | undefined {
  if (typeof body !== "object" || body === null || !("email" in body)) return undefined;
  const { email } = body;
  return typeof email === "string" && /^[^\s@]+@[^\s@]+$/.test(email) ? email : undefined;
}
