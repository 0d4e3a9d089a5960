import { toValueText } from "../protocol/value-text.ts";

/** An error that the node knows, as journals keep errors. */
export function errorText({
  name,
  message,
  stack,
}: {
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
}): string {
  const error = new Error(message);
  error.name = name;
  error.stack = stack ?? `${name}: ${message}`;
  const made = toValueText(error);
  return made.ok ? made.text : JSON.stringify(message);
}
