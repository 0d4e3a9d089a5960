import type { ControlClient, InvokeAnswer } from "../../control/client/index.ts";
import { formatDuration } from "../../core/duration.ts";
import { defineCommand, UsageError } from "../command.ts";
import { connect, JSON_OPTION, NODE_OPTIONS } from "../connect.ts";
import { followRun } from "../follow-run.ts";
import { untilInterrupted } from "../interrupt.ts";
import { type Io, jsonLine, line, note } from "../io.ts";
import { readData } from "../read-data.ts";
import { shellWord } from "../shell-word.ts";
import { showLogLine } from "../show-log.ts";
import { errorText } from "../timeline/words.ts";
import { ago } from "../times.ts";

export const invoke = defineCommand({
  name: "invoke",
  summary: "Call a function, or begin a run of a flow, and show its result and its log",
  details:
    "A function that events wake gets DATA as the data of an event that goes to it alone; one with only HTTP triggers\ngets DATA as its JSON body. A flow's run is followed to its end; Ctrl-C leaves it to itself. The exit code is 1 when the function\nfails, or the run does not end well.",
  args: [
    { name: "NAME", summary: "The function or the flow", kind: "required" },
    { name: "DATA", summary: "JSON, @file, or - for standard input", kind: "optional" },
  ],
  options: {
    path: { type: "string", value: "PATH", summary: "Call it over HTTP, at this path" },
    method: { type: "string", value: "METHOD", summary: "Call it over HTTP, with this method" },
    id: { type: "string", value: "ID", summary: "Of a flow: the id of the run; one that is there already is followed" },
    header: { type: "strings", value: "NAME:VALUE", short: "H", summary: "A header of the HTTP call" },
    ...NODE_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [
    { line: `millrace invoke reserve '{"sku":"lamp","qty":1}'`, says: "an event for one function alone" },
    { line: `millrace invoke placeOrder '{"id":"o1"}'`, says: "a function of the gateway, with a JSON body" },
    { line: "millrace invoke showOrder --path /orders/o1", says: "where the route has parameters, say which path" },
    { line: `millrace invoke fulfil '{"id":"o1"}' --id o1`, says: "a run of a flow, by an id of your own" },
  ],
  async run({ args: [name = "", given], options, io }) {
    const data = await readData(given, "invoke", io);
    const request = describeRequest(options);
    const { id, json } = options;
    if (id !== undefined && request !== undefined)
      throw new UsageError("--id names a run that no request begins: leave one of them out", "invoke");
    const client = await connect(options, io);
    if (id !== undefined) {
      const { existing } = await client.beginRun({ flow: name, id, ...(data === undefined ? {} : { input: data }) });
      if (existing) note(io, `The run ${id} was there already.`);
      return await awaitRun(client, id, json, io);
    }
    const answer = await client.invoke(name, { ...(data === undefined ? {} : { data }), ...(request === undefined ? {} : { request }) });
    if (answer.outcome === "begun") return await awaitRun(client, answer.run, json, io);
    if (json) jsonLine(io, answer);
    else show(name, answer, io);
    return succeeded(answer) ? 0 : 1;
  },
});

/** What the run does is told on the way; its result alone goes to stdout. */
async function awaitRun(client: ControlClient, id: string, json: boolean, io: Io): Promise<number> {
  const interrupted = untilInterrupted(io);
  try {
    const run = await followRun(
      client,
      id,
      { say: (text) => note(io, text), ...(json ? { each: () => {} } : {}), signal: interrupted.signal },
      io,
    );
    if (run === null || run.endedMs === null) {
      note(io, `The run goes on: millrace runs watch ${shellWord(id)}`);
      return 1;
    }
    if (json) jsonLine(io, run);
    else if (run.state !== "done") note(io, io.errColors.red(run.error === null ? run.state : errorText(run.error)));
    else if (run.result !== null) line(io, JSON.stringify(run.result, null, 2));
    return run.state === "done" ? 0 : 1;
  } finally {
    interrupted.release();
  }
}

interface RequestOptions {
  readonly path: string | undefined;
  readonly method: string | undefined;
  readonly header: readonly string[];
}

function describeRequest({
  path,
  method,
  header,
}: RequestOptions): { path?: string; method?: string; headers?: Record<string, string> } | undefined {
  if (path === undefined && method === undefined && header.length === 0) return undefined;
  return {
    ...(path === undefined ? {} : { path }),
    ...(method === undefined ? {} : { method }),
    ...(header.length === 0 ? {} : { headers: Object.fromEntries(header.map(readHeader)) }),
  };
}

function readHeader(text: string): [string, string] {
  const colon = text.indexOf(":");
  if (colon < 1) throw new UsageError(`--header is NAME:VALUE, not "${text}"`, "invoke");
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}

/** What is over when it is answered. */
type Ended = Exclude<InvokeAnswer, { readonly outcome: "begun" }>;

function succeeded(answer: Ended): boolean {
  return answer.outcome === "done" || (answer.outcome === "answered" && answer.status < 500);
}

/** The function's own words are the result; all that is about it goes to stderr. */
function show(name: string, answer: Ended, io: Io): void {
  const colors = io.errColors;
  for (const logLine of answer.logs) note(io, showLogLine(logLine, colors));
  switch (answer.outcome) {
    case "answered": {
      const { status, headers, text, base64, tookMs } = answer;
      const paint = status < 400 ? colors.green : colors.red;
      const type = headers.find(([header]) => header?.toLowerCase() === "content-type")?.[1];
      note(
        io,
        `${paint(String(status))} ${name} answered in ${formatDuration(tookMs)}${type === undefined ? "" : colors.dim(` (${type})`)}`,
      );
      if (text !== null && text !== "") line(io, text.trimEnd());
      if (base64 !== null) line(io, base64);
      return;
    }
    case "done":
      note(io, `${colors.green("done")} ${name} in ${formatDuration(answer.ranMs)}`);
      return;
    case "retrying":
      note(io, `${colors.red("failed")} ${name}, the next attempt is ${ago(answer.dueMs, io.now())}`);
      note(io, answer.error.stack ?? `${answer.error.name}: ${answer.error.message}`);
      return;
    case "dead":
      note(io, `${colors.red("dead")} ${name} failed for good: \`millrace dead show ${answer.delivery}\``);
      note(io, answer.error.stack ?? `${answer.error.name}: ${answer.error.message}`);
      return;
    case "failed":
      note(io, `${colors.red("failed")} ${name} after ${formatDuration(answer.tookMs)}: ${answer.message}`);
      note(io, `  → ${answer.cure}`);
      return;
    default:
      answer satisfies never;
  }
}
