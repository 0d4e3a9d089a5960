import type { ControlClient } from "../control/client/index.ts";
import { type Io, jsonLine, line, note } from "./io.ts";
import { untilInterrupted } from "./interrupt.ts";
import { showLogLine } from "./show-log.ts";

type LogQuery = NonNullable<Parameters<ControlClient["logs"]>[0]>;

/** The newest lines that fit, and where that is wanted each one as it comes. */
export async function showLogs(
  client: ControlClient,
  query: Omit<LogQuery, "after">,
  { follow, json }: { readonly follow: boolean; readonly json: boolean },
  io: Io,
  none: string,
): Promise<void> {
  if (follow) return await followLogs(client, query, json, io);
  const lines = await client.logs(query);
  if (lines.length === 0 && !json) return note(io, none);
  for (const each of lines) {
    if (json) jsonLine(io, each);
    else line(io, showLogLine(each, io.outColors));
  }
}

async function followLogs(client: ControlClient, query: Omit<LogQuery, "after">, json: boolean, io: Io): Promise<void> {
  const interrupted = untilInterrupted(io);
  try {
    for await (const each of client.followLogs(query, interrupted.signal)) {
      if (json) jsonLine(io, each);
      else if ("dropped" in each) note(io, io.errColors.yellow(`… ${each.dropped} lines were left out: this terminal did not keep up`));
      else line(io, showLogLine(each, io.outColors));
    }
  } finally {
    interrupted.release();
  }
}
