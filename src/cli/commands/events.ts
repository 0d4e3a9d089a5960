import type { ControlClient, Event } from "../../control/client/index.ts";
import { systemClock } from "../../core/clock.ts";
import { defineCommand } from "../command.ts";
import { connect, JSON_OPTION, NODE_OPTIONS } from "../connect.ts";
import { type Io, jsonLine, line, note } from "../io.ts";
import { untilInterrupted } from "../interrupt.ts";
import { showAttempts, stateWord, summarize } from "../show-delivery.ts";
import { table } from "../table.ts";
import { ago, moment } from "../times.ts";

/** How often the log is looked at while it is followed. */
const FOLLOW_MS = 500;

export const events = defineCommand({
  name: "events",
  summary: "List events, newest first, and what became of them",
  args: [],
  options: {
    type: { type: "string", value: "TYPE", summary: "Of exactly this type" },
    id: { type: "string", value: "ID", summary: "With exactly this id" },
    before: { type: "integer", value: "SEQ", min: 0, max: Number.MAX_SAFE_INTEGER, summary: "Older than this one, to page on" },
    limit: { type: "integer", value: "N", min: 1, max: 1000, standard: 20, summary: "So many" },
    follow: { type: "boolean", short: "f", summary: "Oldest first, and go on with those that come" },
    ...NODE_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [
    { line: "millrace events --type order.placed --limit 5", says: "the last five orders" },
    { line: "millrace events -f --json | jq .cloudEvent.data", says: "the data of each event as it comes" },
  ],
  async run({ options, io }) {
    const client = await connect(options, io);
    const { type, id, before, limit } = options;
    const filter = { ...(type === undefined ? {} : { type }), ...(id === undefined ? {} : { id }) };
    const page = await client.events({ ...filter, ...(before === undefined ? {} : { before }), limit });
    if (options.follow) return await follow(client, filter, page.toReversed(), options.json, io);
    if (options.json) {
      for (const event of page) jsonLine(io, event);
      return;
    }
    if (page.length === 0) return note(io, "There are no such events.");
    const colors = io.outColors;
    const head = ["SEQ", "AGE", "TYPE", "ID", "DELIVERIES"].map(colors.dim);
    const rows = page.map((event) => [
      String(event.seq),
      ago(event.receivedMs, io.now()),
      colors.bold(event.type),
      event.id,
      summarize(event.deliveries, colors),
    ]);
    line(io, table({ head, rows, right: new Set([0]), columns: io.columns }));
  },
});

async function follow(
  client: ControlClient,
  filter: { type?: string; id?: string },
  first: readonly Event[],
  json: boolean,
  io: Io,
): Promise<void> {
  const interrupted = untilInterrupted(io);
  try {
    let page = first;
    let after = first.at(-1)?.seq ?? 0;
    for (;;) {
      for (const event of page) {
        if (json) jsonLine(io, event);
        else
          line(
            io,
            `${io.outColors.dim(String(event.seq))} ${ago(event.receivedMs, io.now())}  ${io.outColors.bold(event.type)}  ${event.id}`,
          );
      }
      if (page.length === 0) await pause(interrupted.signal);
      if (interrupted.signal.aborted) return;
      page = await client.events({ ...filter, after });
      after = page.at(-1)?.seq ?? after;
    }
  } finally {
    interrupted.release();
  }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const alarm = systemClock.alarm(systemClock.now() + FOLLOW_MS, resolve);
    const wake = (): void => {
      alarm.cancel();
      resolve();
    };
    if (signal.aborted) wake();
    else signal.addEventListener("abort", wake, { once: true });
  });
}

export const eventsShow = defineCommand({
  name: "events show",
  summary: "Show one event with its deliveries and their attempts",
  args: [{ name: "EVENT", summary: "Its seq or its id", kind: "required" }],
  options: { ...NODE_OPTIONS, ...JSON_OPTION },
  examples: [{ line: "millrace events show 42", says: "the event with this seq" }],
  async run({ args: [wanted = ""], options, io }) {
    const client = await connect(options, io);
    const event = await client.event(wanted);
    if (options.json) return jsonLine(io, event);
    const colors = io.outColors;
    const facts: [string, string][] = [
      ["seq", String(event.seq)],
      ["id", event.id],
      ["source", event.source],
      ["received", moment(event.receivedMs, io.now())],
      [
        "from",
        event.cause === null ? event.origin : `${event.origin}, invocation ${event.cause}${event.hops === 0 ? "" : `, hop ${event.hops}`}`,
      ],
    ];
    line(io, colors.bold(event.type));
    line(io, table({ rows: facts.map(([name, value]) => [`  ${colors.dim(name)}`, value]), columns: null }));
    line(io, JSON.stringify(event.cloudEvent, null, 2).replace(/^/gm, "  "));
    line(io, event.deliveries.length === 0 ? colors.dim("It woke nobody.") : colors.bold("Deliveries"));
    for (const delivery of event.deliveries) {
      const { fn, state, settledMs, dueMs, key, seq } = delivery;
      const when = settledMs === null ? `due ${ago(dueMs, io.now())}` : ago(settledMs, io.now());
      const behind = state === "blocked" ? ", behind others of its key" : "";
      line(
        io,
        `  ${fn}  ${stateWord(state, colors)} ${when}${behind}${key === null ? "" : colors.dim(`  key ${key}`)}${colors.dim(`  seq ${seq}`)}`,
      );
      for (const attempt of showAttempts(delivery, io.now(), colors)) line(io, attempt);
    }
  },
});
