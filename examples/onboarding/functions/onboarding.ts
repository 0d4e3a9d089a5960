import { type Callback, type CloudEvent, flow, type Flow } from "millrace";
import { forgetAccount, keepAccount } from "../account.ts";
import { send } from "../outbox.ts";

type Answer = "confirmed" | "declined" | "never";

/** A week with somebody who signed up: asks them to confirm their address, reminds them after a day, and ends one way or the other. */
export const onboarding = flow({}, async (e: CloudEvent<{ readonly email: string }>, flow) => {
  const { email } = e.data;
  const confirmation = await flow.callback("confirmation");
  await flow.step(
    "ask",
    (tx) => send(tx.kv, email, { subject: "Please confirm your address", text: `Confirm it here: ${confirmation.url}` }),
    // A run that is cancelled, or fails, would leave an account that nobody can confirm, and an address that cannot sign up again.
    { rollback: (tx) => forgetAccount(tx.kv, email) },
  );

  const answer = await answerWithReminder(flow, email, confirmation);
  if (answer === "confirmed") {
    await flow.step("welcome", async (tx) => {
      await keepAccount(tx.kv, email, { state: "confirmed", run: tx.id });
      await send(tx.kv, email, { subject: "Welcome", text: "Your address is confirmed." });
    });
  } else {
    await flow.step("forget", (tx) => forgetAccount(tx.kv, email));
  }
  return { email, answer };
});

async function answerWithReminder(flow: Flow, email: string, confirmation: Callback): Promise<Answer> {
  const answer = answerOf(confirmation);
  const inTime = await Promise.race([answer, flow.sleep("a day", "1d").then(() => null)]);
  if (inTime !== null) return inTime;
  await flow.step("remind", (tx) =>
    send(tx.kv, email, { subject: "Is this your address?", text: `Six days are left: ${confirmation.url}` }),
  );
  return Promise.race([answer, flow.sleep("six days", "6d").then(() => "never" as const)]);
}

/** Whatever is posted to the address confirms; who declines fails the callback. */
async function answerOf(confirmation: Callback): Promise<Answer> {
  try {
    await confirmation.result();
    return "confirmed";
  } catch {
    return "declined";
  }
}
