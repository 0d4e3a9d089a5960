import type { EventTest } from "../../control/client/index.ts";
import { MillraceError } from "../../core/errors.ts";
import { defineCommand, UsageError } from "../command.ts";
import { connect, JSON_OPTION, NODE_OPTIONS } from "../connect.ts";
import { type Io, jsonLine, line } from "../io.ts";
import { readData, readText } from "../read-data.ts";
import { showFunctionTest, showPatternTest, showSqlTest } from "../show-test.ts";

const NAME = "events test";

export const eventsTest = defineCommand({
  name: NAME,
  summary: "Say whether an event matches a pattern or an expression, or would wake a function, and if not, why",
  details:
    "Shows every condition with what the event has there. An event of the log is asked of the running node; a pattern, or an\nexpression, and an event that are both written out need none. The exit code is, as grep's, 0 for a match, 1 for none and 2 for an error.",
  args: [
    { name: "PATTERN", summary: "An event pattern: JSON, @file, or - for standard input; left out with --sql and --fn", kind: "required" },
    { name: "EVENT", summary: "JSON, @file, - for standard input, or the seq or id of an event in the log", kind: "optional" },
  ],
  options: {
    sql: {
      type: "string",
      value: "EXPRESSION",
      summary: "Test this expression of CloudEvents SQL, instead of a PATTERN; or @file, or - for standard input",
    },
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
    { line: `millrace events test --sql "source LIKE '/shops/%' AND size > 5" 42`, says: "an expression, an event of the log" },
    { line: "millrace events test --fn reserve 42", says: "why this event woke the function, or did not" },
  ],
  failureCode: 2,
  async run({ args, options, io }) {
    const test = await perform(readLine(args, options), options, io);
    if (options.json) jsonLine(io, test);
    else for (const text of shown(test, io)) line(io, text);
    return test.matched ? 0 : 1;
  },
});

/** What the event is tested against, as the line has it. */
type Against = { readonly pattern: string } | { readonly sql: string } | { readonly fn: string };

interface Asked {
  readonly against: Against;
  readonly event: string;
}

function readLine(args: readonly string[], { sql, fn }: { readonly sql: string | undefined; readonly fn: string | undefined }): Asked {
  const [first = "", second] = args;
  if (sql !== undefined && fn !== undefined) throw new UsageError("an event is tested against --sql or against --fn, not both", NAME);
  const option = sql !== undefined ? { sql } : fn !== undefined ? { fn } : undefined;
  if (option !== undefined) {
    if (second !== undefined) throw new UsageError(`with --${Object.keys(option).join()} there is no PATTERN, only an EVENT`, NAME);
    return notBothFromInput(option, sql, first, "EXPRESSION");
  }
  if (second === undefined)
    throw new UsageError(`${NAME} needs a PATTERN and an EVENT, or --sql EXPRESSION or --fn NAME and an EVENT`, NAME);
  return notBothFromInput({ pattern: first }, first, second, "PATTERN");
}

function notBothFromInput(against: Against, text: string | undefined, event: string, name: string): Asked {
  if (text === "-" && event === "-") throw new UsageError(`standard input can be the ${name} or the EVENT, not both`, NAME);
  return { against, event };
}

type Subject = { readonly pattern: unknown } | Exclude<Against, { readonly pattern: string }>;

async function perform({ against, event: given }: Asked, options: { readonly data: string | undefined }, io: Io): Promise<EventTest> {
  const subject = await subjectOf(against, io);
  if (!isWritten(given)) {
    const client = await connect(options, io);
    const { seq } = await client.event(given);
    return await client.testEvent({ ...subject, seq });
  }
  const event = eventIn(await readData(given, NAME, io, "EVENT"));
  if ("fn" in subject) return await (await connect(options, io)).testEvent({ ...subject, event });
  // All is at hand, so no node is needed, but the matcher: other commands do without it.
  if ("sql" in subject) return (await import("../../control/test-sql.ts")).testSql(subject.sql, event, null);
  return (await import("../../control/test-pattern.ts")).testPattern(subject.pattern, event, null);
}

async function subjectOf(against: Against, io: Io): Promise<Subject> {
  if ("pattern" in against) return { pattern: await readData(against.pattern, NAME, io, "PATTERN") };
  return "sql" in against ? { sql: await readText(against.sql, io) } : against;
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
    case "sql":
      return showSqlTest(test, io);
    case "function":
      return showFunctionTest(test, io);
    default:
      return test satisfies never;
  }
}
