/** The platform's own: subscribed by exact name, sent by nobody else. */
const RESERVED = "millrace.";
const LONGEST = 255;

/** What is wrong with a type to subscribe to, or undefined. It may hold `*`. */
export function subscriptionFault(type: unknown): string | undefined {
  if (typeof type !== "string") return "the type is no string";
  if (type.trim() === "") return "the type is empty";
  if (type.length > LONGEST) return `the type is longer than ${LONGEST} characters`;
  if (/\s|\p{Cc}/u.test(type)) return `the type ${JSON.stringify(type)} holds spaces or control characters`;
  if (type.startsWith(RESERVED) && type.includes("*"))
    return `wildcards do not match the platform's own types, so "${type}" matches nothing`;
  return undefined;
}
