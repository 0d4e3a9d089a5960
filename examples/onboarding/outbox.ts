import type { Kv } from "millrace";

export interface Mail {
  readonly subject: string;
  readonly text: string;
}

/**
 * Stands in for a mail service: what was sent to an address lies in kv. So a mail commits with the step that sends it; what goes out for
 * real is at least once, as the example of payments shows.
 */
export async function send(kv: Kv, to: string, mail: Mail): Promise<void> {
  await kv.set(`outbox/${to}`, [...(await sentTo(kv, to)), mail]);
}

export async function sentTo(kv: Kv, to: string): Promise<readonly Mail[]> {
  return (await kv.get<readonly Mail[]>(`outbox/${to}`)) ?? [];
}
