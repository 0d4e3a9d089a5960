import { testCards } from "./test-cards.ts";

/** One payment, as the service's books have it. */
export interface LedgerEntry {
  readonly reference: string;
  readonly order: string;
  readonly cents: number;
  readonly card: string;
  /** How often each was done: more than once is a loss for somebody. */
  readonly holds: number;
  readonly captures: number;
  readonly refunds: number;
  /** It was voided: nothing more will be taken, not even by requests that come late. */
  readonly closed: boolean;
}

export interface LedgerRequest {
  readonly what: string;
  readonly reference: string;
  readonly body: { readonly order?: string; readonly cents?: number; readonly card?: string };
}

export interface LedgerAnswer {
  readonly status: number;
  readonly body: object;
}

/**
 * The books of the payment service. A request with a key that was here before is given the answer of that time, and changes nothing.
 * Else it is careless on purpose: who asks twice with two keys pays twice.
 */
export class Ledger {
  /** Requests that were known again by their key. */
  repeated = 0;
  private readonly payments = new Map<string, LedgerEntry>();
  private readonly answers = new Map<string, LedgerAnswer>();

  apply(key: string, request: LedgerRequest): LedgerAnswer {
    const before = this.answers.get(key);
    if (before !== undefined) {
      this.repeated++;
      return before;
    }
    const answer = this.decide(request);
    this.answers.set(key, answer);
    return answer;
  }

  entry(reference: string): LedgerEntry {
    const none = { reference, order: "", cents: 0, card: "", holds: 0, captures: 0, refunds: 0, closed: false };
    return this.payments.get(reference) ?? none;
  }

  entries(): readonly LedgerEntry[] {
    return [...this.payments.values()];
  }

  private decide({ what, reference, body }: LedgerRequest): LedgerAnswer {
    switch (what) {
      case "authorise":
        return this.authorise(this.entry(reference), body);
      case "capture":
        return this.capture(this.entry(reference));
      case "void":
        return this.close(this.entry(reference));
      case "refund":
        return this.refund(this.entry(reference));
      default:
        return { status: 404, body: { reason: `nobody can ${what} here` } };
    }
  }

  private authorise(entry: LedgerEntry, { order = "", cents = 0, card = "" }: LedgerRequest["body"]): LedgerAnswer {
    if (entry.closed) return { status: 409, body: { reason: "this payment was voided" } };
    if (card === testCards.declined) return { status: 402, body: { reason: "card declined" } };
    return this.keep({ ...entry, order, cents, card, holds: entry.holds + 1 }, 201);
  }

  private capture(entry: LedgerEntry): LedgerAnswer {
    if (entry.closed || entry.holds === 0) return { status: 409, body: { reason: "nothing is authorised" } };
    return this.keep({ ...entry, captures: entry.captures + (entry.card === testCards.unpaid ? 0 : 1) }, 202);
  }

  /** Gives back what is held and what was taken. What was never heard of is closed as well: the request for it may still come. */
  private close(entry: LedgerEntry): LedgerAnswer {
    return this.keep({ ...entry, refunds: Math.max(entry.refunds, entry.captures), closed: true }, 200);
  }

  private refund(entry: LedgerEntry): LedgerAnswer {
    if (entry.captures === 0) return { status: 409, body: { reason: "nothing was taken" } };
    return this.keep({ ...entry, refunds: entry.refunds + 1 }, 200);
  }

  private keep(entry: LedgerEntry, status: number): LedgerAnswer {
    this.payments.set(entry.reference, entry);
    return { status, body: { captured: entry.captures * entry.cents } };
  }
}
