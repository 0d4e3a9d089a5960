import type { LogLevel } from "../core/log-level.ts";
import { LOG_LEVELS } from "../core/log-level.ts";
import type { LogLine } from "../store/store.ts";

/**
 * Where the log lines of invocations go: to the store, in batches of one turn of the event loop; to those who follow
 * them live; and to sinks of the node itself (the printer of `millrace dev`).
 *
 * - L1: writing never waits and never fails; whoever cannot keep up loses lines and is told how many.
 * - L2: a follower holds at most `FOLLOWER_LINES`; the oldest are dropped.
 * - L3: the newest lines stay here for a while, so that a reader sees what the store has not yet written.
 */
export type LogSink = (line: LogLine) => void;

export interface LogFilter {
  readonly fn?: string;
  readonly invocation?: string;
  /** This level and those above it. */
  readonly level?: LogLevel;
}

/** What a follower gets: a line, or word that lines were dropped because it read too slowly. */
export type Followed = { readonly kind: "line"; readonly line: LogLine } | { readonly kind: "dropped"; readonly count: number };

const RECENT_LINES = 1024;
const FOLLOWER_LINES = 2048;

export class Logs {
  private readonly store: { log(lines: readonly LogLine[]): void };
  private readonly sinks = new Set<LogSink>();
  private recentLines: LogLine[] = [];
  private batch: LogLine[] = [];

  constructor(store: { log(lines: readonly LogLine[]): void }) {
    this.store = store;
  }

  write(line: LogLine): void {
    if (this.batch.length === 0) setImmediate(() => this.flush());
    this.batch.push(line);
    this.recentLines.push(line);
    if (this.recentLines.length >= RECENT_LINES * 2) this.recentLines = this.recentLines.slice(-RECENT_LINES);
    for (const sink of this.sinks) sink(line);
  }

  /** Hands what was written to the store; a node that stops calls it before the store closes. */
  flush(): void {
    if (this.batch.length === 0) return;
    const { batch } = this;
    this.batch = [];
    this.store.log(batch);
  }

  /** Calls `sink` with every line from now on; returns how to end that. */
  addSink(sink: LogSink): () => void {
    this.sinks.add(sink);
    return () => this.sinks.delete(sink);
  }

  recent(filter: LogFilter): readonly LogLine[] {
    return this.recentLines.filter((line) => matches(filter, line));
  }

  /** Lines from this call on (not from the first read on), until the signal aborts. */
  follow(filter: LogFilter, signal: AbortSignal): AsyncIterableIterator<Followed> {
    const follower = new Follower();
    const leave = this.addSink((line) => {
      if (matches(filter, line)) follower.push(line);
    });
    const end = (): void => {
      leave();
      follower.end();
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
    return follower.read(end);
  }
}

function matches(filter: LogFilter, line: LogLine): boolean {
  if (filter.fn !== undefined && filter.fn !== line.fn) return false;
  if (filter.invocation !== undefined && filter.invocation !== line.invocation) return false;
  return filter.level === undefined || LOG_LEVELS.indexOf(line.level) >= LOG_LEVELS.indexOf(filter.level);
}

/** The bounded queue between the node, which never waits, and one reader, who may. */
class Follower {
  private lines: LogLine[] = [];
  private dropped = 0;
  private ended = false;
  private wake: (() => void) | undefined;

  push(line: LogLine): void {
    this.lines.push(line);
    if (this.lines.length > FOLLOWER_LINES) {
      this.dropped += this.lines.length - FOLLOWER_LINES / 2;
      this.lines = this.lines.slice(-FOLLOWER_LINES / 2);
    }
    this.wake?.();
  }

  end(): void {
    this.ended = true;
    this.wake?.();
  }

  async *read(leave: () => void): AsyncGenerator<Followed> {
    try {
      for (;;) {
        if (this.dropped > 0) {
          const count = this.dropped;
          this.dropped = 0;
          yield { kind: "dropped", count };
        }
        const { lines } = this;
        this.lines = [];
        for (const line of lines) yield { kind: "line", line };
        if (lines.length > 0) continue;
        if (this.ended) return;
        await new Promise<void>((resolve) => (this.wake = resolve));
      }
    } finally {
      leave();
    }
  }
}
