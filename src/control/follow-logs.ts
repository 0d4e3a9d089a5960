import type { LogLine, Store } from "../store/store.ts";
import type { LogFilter, Logs } from "../telemetry/index.ts";
import type { FollowedLine, LogLineShape } from "./shapes.ts";

/**
 * The newest lines, then each one as it is written (C10). The live lines are followed before the store is asked, and what
 * the store has not written yet is still with `logs`: so no line is missing where the three meet, and none is told twice.
 */
export async function* followLogs(
  query: LogFilter & { readonly limit?: number },
  rooms: { readonly store: Store; readonly logs: Logs },
  signal: AbortSignal,
): AsyncGenerator<FollowedLine> {
  const { limit = 0, ...filter } = query;
  const live = rooms.logs.follow(filter, signal);
  const earlier = limit === 0 ? [] : await newest(filter, limit, rooms);
  const told = new Set(earlier.map(identity));
  yield* earlier;
  for await (const next of live) {
    if (next.kind === "dropped") yield { dropped: next.count };
    // Only lines that came while the store was asked can be told already: the first that is new ends the comparing.
    else if (told.size > 0 && told.delete(identity(next.line))) continue;
    else {
      told.clear();
      yield shown(next.line);
    }
  }
}

/** The lines of one invocation that ended just now: all of them are still at hand. */
export function linesOf(logs: Logs, invocation: string): LogLineShape[] {
  return logs.recent({ invocation }).map(shown);
}

async function newest(filter: LogFilter, limit: number, { store, logs }: { store: Store; logs: Logs }): Promise<LogLineShape[]> {
  const recent = logs.recent(filter);
  const stored = await store.logs({ ...filter, limit });
  const known = new Set(stored.map(identity));
  const lines = [...stored, ...recent.filter((line) => !known.has(identity(line)))];
  return lines
    .sort((a, b) => a.atMs - b.atMs)
    .slice(-limit)
    .map(shown);
}

function identity({ atMs, invocation, level, text }: LogLine): string {
  return `${atMs} ${invocation} ${level} ${text}`;
}

function shown({ atMs, fn, invocation, level, text }: LogLine): LogLineShape {
  return { atMs, fn, invocation, level, text };
}
