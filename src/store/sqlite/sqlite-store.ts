import type { Worker } from "node:worker_threads";
import { MillraceError, toError } from "../../core/index.ts";
import type {
  Cursor,
  DeadQuery,
  DeadSelection,
  DeadView,
  DueTimer,
  EventQuery,
  EventView,
  FunctionCounts,
  KvEntry,
  JournalPage,
  KvPage,
  Lease,
  LogLine,
  LogQuery,
  Member,
  MemberResult,
  OwnedRun,
  ReadyPage,
  RunChange,
  RunQuery,
  RunView,
  Seq,
  Store,
  StoreHealth,
  StoredAnswer,
  StoredEvent,
  StoredLogLine,
} from "../store.ts";
import { PARTITION_COUNT } from "../store.ts";
import { Calls } from "./calls.ts";
import { unpackError } from "./errors.ts";
import type { DirectoryLock } from "./lock.ts";
import { LogQueue } from "./log-queue.ts";
import type { FromReader, FromWriter, ReaderVerbs, WriterVerbs } from "./requests.ts";
import { FlatReader, type Flat, putMember, takeReady, takeResult } from "./wire.ts";

/** One message carries no more than this; the rest of the tick follows in the next one. */
const BATCH_MEMBERS = 1000;
const BATCH_CHARS = 4 * 1024 * 1024;
const LOG_DELAY_MS = 50;

interface Pending {
  readonly resolve: (result: MemberResult) => void;
  readonly reject: (error: Error) => void;
}

/** The node's side of the SQLite store: packs what one tick commits into one message and hands out the answers. */
export class SqliteStore implements Store {
  private readonly writer: Worker;
  private readonly reader: Worker;
  private readonly lock: DirectoryLock;
  private readonly writes: Calls<WriterVerbs>;
  private readonly reads: Calls<ReaderVerbs>;
  /** In the order of sending, which is the order of the answers. */
  private readonly pending: (Pending | null)[] = [];
  private pendingHead = 0;
  private outbox: Member[] = [];
  private flushScheduled = false;
  private readonly logQueue = new LogQueue();
  private logTimer: NodeJS.Timeout | null = null;
  /** No delivery becomes ready with an earlier due time than this any more, in any state of the file that a read can meet from now on. */
  private highMs: number;
  /** The latest time that a commit brought: the store has no clock of its own. */
  private seenMs = 0;
  private state: StoreHealth = { state: "ok" };
  private broken: MillraceError | null = null;
  private closing: Promise<void> | null = null;

  constructor(writer: Worker, reader: Worker, lock: DirectoryLock, highMs: number) {
    this.writer = writer;
    this.reader = reader;
    this.lock = lock;
    this.highMs = highMs;
    this.writes = new Calls(writer);
    this.reads = new Calls(reader);
    writer.on("message", (message: FromWriter) => this.receive(message));
    reader.on("message", (message: FromReader) => this.reads.settle(message));
    for (const thread of [writer, reader]) {
      thread.on("error", (error) => this.lose(toError(error)));
      thread.on("exit", () => this.lose(new Error("the thread ended")));
    }
  }

  async acquire(owner: string): Promise<Lease> {
    const epoch = await this.write("acquire", { owner });
    return { owner, epoch, partitions: { from: 0, to: PARTITION_COUNT - 1 } };
  }

  commit(member: Member): Promise<MemberResult> {
    const refusal = this.refusal();
    if (refusal !== null) return Promise.reject(refusal);
    if (member.nowMs > this.seenMs) this.seenMs = member.nowMs;
    return new Promise((resolve, reject) => {
      this.outbox.push(member);
      this.pending.push({ resolve, reject });
      if (this.flushScheduled) return;
      this.flushScheduled = true;
      setImmediate(() => this.flush());
    });
  }

  async ready(fn: string, after: Cursor, nowMs: number, limits: { count: number; bytes: number }): Promise<ReadyPage> {
    const page = await this.readyUpTo(fn, after, this.highMs, limits);
    if (nowMs <= this.highMs || page.more || page.nextDueMs === null || page.nextDueMs > nowMs) return page;
    // Something falls due between the store's time and the caller's. Only when the writer gives nothing an earlier due time any more
    // may a cursor move past it.
    await this.write("see", nowMs);
    this.highMs = Math.max(this.highMs, nowMs);
    return this.readyUpTo(fn, after, this.highMs, limits);
  }

  dueTimers(nowMs: number, limit: number): Promise<{ timers: readonly DueTimer[]; nextDueMs: number | null }> {
    return this.read("dueTimers", { nowMs, limit });
  }

  timers(kind: string): Promise<readonly DueTimer[]> {
    return this.read("timers", kind);
  }

  kvGet(keys: readonly string[], nowMs: number): Promise<readonly (KvEntry | null)[]> {
    return this.read("kvGet", { keys, nowMs });
  }

  kvList(query: { prefix: string; after: string | null; limit: number }, nowMs: number): Promise<KvPage> {
    return this.read("kvList", { prefix: query.prefix, after: query.after, limit: query.limit, nowMs });
  }

  answer(key: string, nowMs: number): Promise<StoredAnswer | null> {
    return this.read("answer", { key, nowMs });
  }

  counts(): Promise<readonly FunctionCounts[]> {
    return this.write("counts", null);
  }

  events(query: EventQuery): Promise<readonly EventView[]> {
    return this.read("events", query);
  }

  dead(query: DeadQuery): Promise<readonly DeadView[]> {
    return this.read("dead", query);
  }

  delivery(seq: Seq): Promise<DeadView | null> {
    return this.read("delivery", seq);
  }

  redrive(selection: DeadSelection, nowMs: number, limit: number): Promise<{ redriven: number; fns: readonly string[] }> {
    return this.write("redrive", { selection, nowMs, limit });
  }

  purge(selection: DeadSelection, nowMs: number, limit: number): Promise<{ purged: number; fns: readonly string[] }> {
    return this.write("purge", { selection, nowMs, limit });
  }

  ownedRun(run: Seq, bytes = 0): Promise<OwnedRun | null> {
    return this.read("ownedRun", { run, bytes });
  }

  journal(run: Seq, afterPos: number, bytes: number): Promise<JournalPage> {
    return this.read("journal", { run, afterPos, bytes });
  }

  eventsOfType(type: string, afterSeq: Seq, limit: number): Promise<readonly StoredEvent[]> {
    return this.read("eventsOfType", { type, afterSeq, limit });
  }

  run(idOrSeq: string | Seq): Promise<RunView | null> {
    return this.read("run", idOrSeq);
  }

  runs(query: RunQuery): Promise<readonly RunView[]> {
    return this.read("runs", query);
  }

  runReleases(except?: string): Promise<readonly { readonly release: string; readonly fn: string; readonly runs: number }[]> {
    return this.read("runReleases", { except: except ?? null });
  }

  waitTopics(): Promise<readonly string[]> {
    return this.read("waitTopics", null);
  }

  log(lines: readonly LogLine[]): void {
    if (this.refusal() !== null || lines.length === 0) return;
    this.logQueue.add(lines);
    this.logTimer ??= setTimeout(() => this.flush(), LOG_DELAY_MS);
  }

  async logs(query: LogQuery): Promise<readonly StoredLogLine[]> {
    return this.read("logs", query);
  }

  retain(beforeMs: number, nowMs: number, limit: number): Promise<{ events: number; deliveries: number; more: boolean }> {
    return this.write("retain", { beforeMs, nowMs, limit });
  }

  health(): StoreHealth {
    return this.state;
  }

  close(): Promise<void> {
    return (this.closing ??= this.shut());
  }

  private async shut(): Promise<void> {
    this.flush();
    if (this.broken === null) {
      // The writer is the last to let go: closing the last connection is what empties the log file.
      await this.reads.ask("close", null);
      await this.writes.ask("close", null);
    }
    this.broken ??= new MillraceError("stopping", "the store is closed");
    await Promise.all([this.writer.terminate(), this.reader.terminate()]);
    this.lock.release();
  }

  private refusal(): MillraceError | null {
    if (this.broken !== null) return this.broken;
    return this.closing === null ? null : new MillraceError("stopping", "the store is closing");
  }

  private read<Verb extends keyof ReaderVerbs>(
    ...[verb, ask]: Parameters<typeof this.reads.ask<Verb>>
  ): ReturnType<typeof this.reads.ask<Verb>> {
    const refusal = this.refusal();
    return refusal === null ? this.reads.ask(verb, ask) : Promise.reject(refusal);
  }

  /** A request keeps its place among the commits of its tick. */
  private write<Verb extends keyof WriterVerbs>(
    ...[verb, ask]: Parameters<typeof this.writes.ask<Verb>>
  ): ReturnType<typeof this.writes.ask<Verb>> {
    const refusal = this.refusal();
    if (refusal !== null) return Promise.reject(refusal);
    this.flush();
    return this.writes.ask(verb, ask);
  }

  private async readyUpTo(fn: string, after: Cursor, dueMs: number, limits: { count: number; bytes: number }): Promise<ReadyPage> {
    const flat = await this.read("ready", { fn, after, dueMs, count: limits.count, bytes: limits.bytes });
    const reader = new FlatReader(flat);
    const more = reader.number() === 1;
    const nextDueMs = reader.numberOrNull();
    return { deliveries: reader.list(takeReady), more, nextDueMs };
  }

  // ── to the writer ──

  private flush(): void {
    this.flushScheduled = false;
    if (this.logTimer !== null) clearTimeout(this.logTimer);
    this.logTimer = null;
    const members = this.outbox;
    if (members.length === 0 && this.logQueue.empty) return;
    this.outbox = [];
    for (let from = 0; from < members.length || !this.logQueue.empty;) from = this.sendBatch(members, from);
  }

  /** Sends members from here on, as many as one message takes, and all log lines; returns where the next message begins. */
  private sendBatch(members: readonly Member[], from: number): number {
    const flat: Flat = [0, 0];
    let chars = 0;
    let at = from;
    while (at < members.length && at - from < BATCH_MEMBERS && chars < BATCH_CHARS) {
      const member = members[at++];
      if (member === undefined) break;
      putMember(flat, member);
      chars += charsOf(member);
    }
    flat[0] = chars;
    flat[1] = at - from;
    this.logQueue.moveTo(flat);
    this.writer.postMessage(flat);
    return at;
  }

  // ── from the writer ──

  private receive(message: FromWriter): void {
    // The reader has ended and all that waited was refused: the writer's answers to it come to nobody.
    if (this.broken !== null) return;
    if (Array.isArray(message)) this.receiveResults(message);
    else if ("failed" in message) this.receiveFailure(message.failed, unpackError(message.error));
    else if ("call" in message) this.writes.settle(message);
  }

  private receiveResults(flat: Flat): void {
    const reader = new FlatReader(flat);
    this.highMs = Math.max(this.highMs, reader.number());
    this.state = { state: "ok" };
    for (let count = reader.number(); count > 0; count--) this.shift().resolve(takeResult(reader));
  }

  private receiveFailure(count: number, error: MillraceError): void {
    if (error.code !== "internal") this.fail(error);
    for (let left = count; left > 0; left--) this.shift().reject(error);
  }

  private shift(): Pending {
    const at = this.pendingHead++;
    const pending = this.pending[at];
    if (pending === undefined || pending === null) throw new MillraceError("internal", "the store's writer answered what nobody asked");
    // What is settled is let go of at once: kept until the array is cut, thousands of old promises grew old in the collector's nursery.
    this.pending[at] = null;
    // Array.shift() moves everything behind it once the array is large; this cuts it now and then.
    if (this.pendingHead === 4096) {
      this.pending.splice(0, this.pendingHead);
      this.pendingHead = 0;
    }
    return pending;
  }

  private fail(error: Error): void {
    if (this.state.state === "ok") this.state = { state: "failing", error, sinceMs: this.seenMs };
  }

  /** A thread has ended that should not have. */
  private lose(cause: Error): void {
    if (this.broken !== null || this.closing !== null) return;
    this.broken = new MillraceError("internal", `a thread of the store ended: ${cause.message}`, { cause });
    this.fail(this.broken);
    for (const waiting of this.pending.slice(this.pendingHead)) waiting?.reject(this.broken);
    this.pending.length = 0;
    this.pendingHead = 0;
    this.outbox = [];
    this.writes.break(this.broken);
    this.reads.break(this.broken);
  }
}

/** Roughly what a member brings: enough to keep a message and a transaction bounded. */
function charsOf(member: Member): number {
  let chars = 0;
  for (const event of member.events ?? []) chars += event.json.length;
  for (const write of member.kv ?? [])
    if (write.op === "set") chars += write.value.kind === "json" ? write.value.json.length : write.value.bytes.length;
  for (const timer of member.timers ?? []) chars += timer.payload.length;
  if (member.run !== undefined) chars += charsOfChange(member.run);
  for (const arrival of member.arrivals ?? []) chars += arrival.value.length;
  chars += member.callback?.value.length ?? 0;
  return chars + (member.answer?.bytes.length ?? 0);
}

function charsOfChange({ entries, move }: RunChange): number {
  let chars = move?.kind === "end" ? (move.value?.length ?? 0) : 0;
  for (const entry of entries) chars += entry.value?.length ?? 0;
  return chars;
}
