import type { EventTest } from "../../control/client/index.ts";
import { MillraceError } from "../../core/errors.ts";
import { defineCommand, UsageError } from "../command.ts";
import { connect, JSON_OPTION, NODE_OPTIONS } from "../connect.ts";
import { type Io, jsonLine, line } from "../io.ts";
import { readData } from "../read-data.ts";
import { showFunctionTest, showPatternTest } from "../show-test.ts";

const NAME = "events test";

export const eventsTest = defineCommand({
  name: NAME,
  summary: "Say whether an event matches a pattern, or would wake a function, and if not, why",
  details:
    "Shows every condition with what the event has there. An event of the log is asked of the running node; a pattern and an event\nthat are both written out need none. The exit code is, as grep's, 0 for a match, 1 for none and 2 for an error.",
  args: [
    { name: "PATTERN", summary: "An event pattern: JSON, @file, or - for standard input; left out with --fn", kind: "required" },
    { name: "EVENT", summary: "JSON, @file, - for standard input, or the seq or id of an event in the log", kind: "optional" },
  ],
  options: {
    fn: { type: "string", value: "NAME", summary: "Test all event triggers of this function, instead of a PATTERN" },
    ...NODE_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [
    {
      line: `millrace events test '{"data":{"total":[{"numeric":[">",100]}]}}' '{"data":{"total":"250"}}'`,
      says: "a pattern and an event as they stand",
    },
    { line: "millrace events test @big-orders.json 42", says: "a pattern from a file, an event of the log" },
    { line: "millrace events test --fn reserve 42", says: "why this event woke the function, or did not" },
  ],
  failureCode: 2,
  async run({ args, options, io }) {
    const test = await perform(readLine(args, options.fn), options, io);
    if (options.json) jsonLine(io, test);
    else for (const text of shown(test, io)) line(io, text);
    return test.matched ? 0 : 1;
  },
});

interface Asked {
  /** What the event is tested against, as the line has it. */
  readonly against: { readonly pattern: string } | { readonly fn: string };
  readonly event: string;
}

function readLine(args: readonly string[], fn: string | undefined): Asked {
  const [first = "", second] = args;
  if (fn !== undefined) {
    if (second !== undefined) throw new UsageError("with --fn there is no PATTERN, only an EVENT", NAME);
    return { against: { fn }, event: first };
  }
  if (second === undefined) throw new UsageError(`${NAME} needs a PATTERN and an EVENT, or --fn NAME and an EVENT`, NAME);
  if (first === "-" && second === "-") throw new UsageError("standard input can be the PATTERN or the EVENT, not both", NAME);
  return { against: { pattern: first }, event: second };
}

async function perform({ against, event: given }: Asked, options: { readonly data: string | undefined }, io: Io): Promise<EventTest> {
  const subject = "fn" in against ? against : { pattern: await readData(against.pattern, NAME, io, "PATTERN") };
  if (!isWritten(given)) {
    const client = await connect(options, io);
    const { seq } = await client.event(given);
    return await client.testEvent({ ...subject, seq });
  }
  const event = eventIn(await readData(given, NAME, io, "EVENT"));
  if ("fn" in subject) return await (await connect(options, io)).testEvent({ ...subject, event });
  // All is at hand, so no node is needed, but the matcher: other commands do without it.
  const { testPattern } = await import("../../control/test-pattern.ts");
  return testPattern(subject.pattern, event, null);
}

/** Anything else is a seq or an id. */
function isWritten(event: string): boolean {
  return event === "-" || /^(?:@|\s*[{["])/.test(event);
}

function eventIn(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  throw new MillraceError("bad_event", "EVENT is no JSON object", { cure: 'Write it like {"type":"order.placed","data":{"total":250}}.' });
}

function shown(test: EventTest, io: Io): readonly string[] {
  switch (test.kind) {
    case "pattern":
      return showPatternTest(test, io);
    case "function":
      return showFunctionTest(test, io);
    default:
      return test satisfies never;
  }
}
