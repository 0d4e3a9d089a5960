import type { Kv } from "millrace";

/** What is known of an address. */
export interface Account {
  readonly state: "asked" | "confirmed";
  /** The run that asks. */
  readonly run: string;
}

export function accountOf(kv: Kv, email: string): Promise<Account | undefined> {
  return kv.get<Account>(`account/${email}`);
}

export function keepAccount(kv: Kv, email: string, account: Account): Promise<void> {
  return kv.set(`account/${email}`, account);
}

export function forgetAccount(kv: Kv, email: string): Promise<void> {
  return kv.delete(`account/${email}`);
}
