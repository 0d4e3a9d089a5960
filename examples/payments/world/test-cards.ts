/** Which card it is decides what the bank says. */
export const testCards = {
  good: "4242424242424242",
  declined: "4000000000000002",
  /** Is authorised, but the bank does not pay. */
  unpaid: "4000000000000341",
};
