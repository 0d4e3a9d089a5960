/** A brand, for the same reason as DEFINITION: what is thrown comes from the bundle's own copy of the SDK. */
export const FATAL: unique symbol = Symbol.for("millrace.fatal");

/** Thrown by a handler: trying again would not help. The delivery goes straight to dead. */
export class Fatal extends Error {
  override readonly name: string = "Fatal";
  readonly [FATAL] = true;
}
