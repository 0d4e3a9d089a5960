import { MillraceError } from "../core/index.ts";

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

/** Throws what `ctx.emit` owes its caller for a type that cannot be sent. */
export function checkEmitType(type: unknown): asserts type is string {
  const fault = subscriptionFault(type);
  if (fault !== undefined)
    throw new MillraceError("bad_event", `an event cannot be emitted: ${fault}`, { cure: 'Name a type such as "order.placed".' });
  if (String(type).startsWith(RESERVED))
    throw new MillraceError("reserved_type", `an event of type "${String(type)}" cannot be emitted by a function`);
  if (String(type).includes("*")) {
    throw new MillraceError("bad_event", `an event cannot be emitted: "${String(type)}" is a pattern, not a type`, {
      cure: "Name one type, without `*`.",
    });
  }
}
