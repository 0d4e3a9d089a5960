/** Stands in for the payment provider of a real shop; which card it is decides what happens, so that you can try it out. */
export const testCards = {
  good: "4242424242424242",
  noCover: "4000000000000002",
  stolen: "4000000000000069",
  /** The provider does not answer the first two times. */
  slow: "4000000000000119",
  /** The provider never answers. */
  hopeless: "4000000000000127",
};

const declined: ReadonlySet<string> = new Set([testCards.noCover, testCards.stolen]);

export interface Charge {
  readonly card: string;
  readonly cents: number;
  /** Asked twice with one reference, a provider takes the money once. A transaction can end there; the provider cannot know. */
  readonly reference: string;
  readonly attempt: number;
}

export async function charge({ card, attempt }: Charge): Promise<"taken" | "declined"> {
  if (card === testCards.hopeless || (card === testCards.slow && attempt <= 2)) throw new Error("the payment provider does not answer");
  return declined.has(card) ? "declined" : "taken";
}
