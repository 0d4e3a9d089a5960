import type { DatabaseSync } from "node:sqlite";
import type {
  AppendedEvent,
  AttemptError,
  KvWrite,
  LogLine,
  Member,
  MemberResult,
  NewAnswer,
  NewEvent,
  NewTimer,
  ReadSet,
  ReadyDelivery,
  Settle,
  StoredAnswer,
} from "../store.ts";
import { DEDUPE_MS, IdIndex } from "./id-index.ts";
import type { IdHash } from "./id-hash.ts";
import { KvRanges } from "./kv-range.ts";
import { Lanes, type Waiting } from "./lanes.ts";
import { Names } from "./names.ts";
import { runKindCode, runKindOf } from "./run-codes.ts";
import { RunLedger, type RunNews } from "./run-ledger.ts";
import { STATE } from "./schema.ts";
import { prepareStatements, type Statements } from "./statements.ts";
import type { Tally } from "./tally.ts";
import { levelCode, originCode, originOf } from "./wire.ts";

/** Of each error this much is kept: message and stack share 16 KiB. */
const NAME_CHARS = 256;
const MESSAGE_CHARS = 7 * 1024;
const STACK_CHARS = 8 * 1024;
const LOG_CHARS = 16 * 1024;

/** What an event meets in the index of ids. */
type Seen =
  | { readonly kind: "new"; readonly hash: IdHash }
  | { readonly kind: "repeat"; readonly seq: number }
  /** Repeats an earlier event of the same member. */
  | { readonly kind: "twin"; readonly index: number };

type Refusal = Exclude<MemberResult, { kind: "committed" }>;

/** A delivery that is being settled. */
interface Settling {
  readonly fn: number;
  readonly key: string | null;
  readonly event: number;
}

/**
 * The writer's state and everything that changes it. A member is checked first and written afterwards, so a refused one leaves nothing
 * behind and needs no savepoint. All of it happens inside a transaction that the writer opens and ends.
 */
export class Ledger {
  readonly names: Names;
  readonly tally: Tally;
  readonly ids: IdIndex;
  readonly lanes: Lanes;
  readonly statements: Statements;
  private readonly runs: RunLedger;
  private readonly ranges: KvRanges;
  private seq: number;
  private nowMs: number;
  private epoch: number;
  /** Of the member that is being applied. */
  private promoted: ReadyDelivery[] = [];

  constructor(database: DatabaseSync, tally: Tally) {
    const state = database.prepare("SELECT * FROM state").get();
    this.seq = Number(state?.["seq"]);
    this.nowMs = Number(state?.["now_ms"]);
    this.epoch = Number(state?.["epoch"]);
    this.statements = prepareStatements(database);
    this.names = new Names(database, true);
    this.tally = tally;
    this.lanes = new Lanes(database);
    this.ranges = new KvRanges(database);
    this.runs = new RunLedger(database, {
      nowMs: () => this.nowMs,
      lastSeq: () => this.seq,
      next: () => this.next(),
      epoch: () => this.epoch,
      names: this.names,
      tally,
      promote: (fn, key) => this.promote(fn, key, this.promoted),
      recordAttempt: (run, move, nowMs) => this.recordError({ delivery: run, ...move }, move.error, nowMs),
    });
    this.ids = new IdIndex(database, Number(state?.["seed"]), Number(state?.["ids_flushed"]), this.nowMs);
  }

  /** The largest time the store has seen: nothing becomes ready with an earlier due time from here on. */
  get highMs(): number {
    return this.nowMs;
  }

  get lastSeq(): number {
    return this.seq;
  }

  see(nowMs: number): void {
    if (nowMs > this.nowMs) this.nowMs = nowMs;
  }

  next(): number {
    return ++this.seq;
  }

  raiseEpoch(owner: string): number {
    this.epoch++;
    this.statements.setLease.run(this.epoch, owner);
    return this.epoch;
  }

  /** The last thing in each transaction. */
  saveState(): void {
    this.statements.saveState.run(this.seq, this.nowMs, this.ids.flushed);
  }

  apply(member: Member): MemberResult {
    this.see(member.nowMs);
    const settling = member.settle === undefined ? null : this.checkSettle(member.settle);
    const seen = member.events === undefined ? [] : this.lookUp(member.events, member.nowMs);
    const refusal = this.refusal(member, settling, seen);
    if (refusal !== null) return refusal;

    const promoted: ReadyDelivery[] = [];
    this.promoted = promoted;
    const news: RunNews = { arrivals: [], woken: new Set() };
    const atSeq =
      member.run === undefined ? undefined : { atSeq: this.runs.change(member.run, member.settle !== undefined, member.nowMs, news) };
    if (member.settle !== undefined && settling !== null) this.settle(member.settle, settling, member.nowMs, promoted);
    if (member.fired !== undefined) this.statements.deleteTimer.run(member.fired.name);
    if (member.cancelTimers !== undefined) for (const name of member.cancelTimers) this.statements.deleteTimer.run(name);
    if (member.timers !== undefined) for (const timer of member.timers) this.setTimer(timer);
    if (member.kv !== undefined) for (const write of member.kv) this.writeKv(write);
    if (member.answer !== undefined) this.writeAnswer(member.answer);
    const events = member.events === undefined ? [] : this.append(member.events, seen, member.nowMs, news);
    if (member.arrivals !== undefined) for (const arrival of member.arrivals) this.runs.arrive(arrival, member.nowMs, news);
    const callback = member.callback === undefined ? undefined : { callback: this.runs.answer(member.callback, member.nowMs, news) };
    const arrivals = news.arrivals.length === 0 ? undefined : { arrivals: news.arrivals };
    const woken = news.woken.size === 0 ? undefined : { woken: [...news.woken].map((run) => this.wokenView(run)) };
    return { kind: "committed", events, promoted, ...arrivals, ...woken, ...atSeq, ...callback };
  }

  writeLog(line: LogLine): void {
    this.statements.insertLog.run(
      line.atMs,
      this.names.intern(line.fn),
      levelCode(line.level),
      line.invocation,
      line.text.slice(0, LOG_CHARS),
    );
  }

  // ── checks ──

  private refusal(member: Member, settling: Settling | null, seen: readonly Seen[] | number[]): Refusal | null {
    if (member.settle !== undefined && settling === null) return { kind: "fenced" };
    if (member.run !== undefined && !this.runs.holds(member.run)) return { kind: "fenced" };
    if (member.fired !== undefined && !this.holdsTimer(member.fired)) return { kind: "fenced" };
    if (member.answer !== undefined) {
      const answer = this.liveAnswer(member.answer.key, member.nowMs);
      if (answer !== null) return { kind: "answered", answer };
    }
    if (member.reads !== undefined) {
      const keys = this.staleReads(member.reads, member.nowMs);
      if (keys.length > 0) return { kind: "conflict", keys };
    }
    return isClash(seen) ? { kind: "clash", indexes: seen } : null;
  }

  private checkSettle(settle: Settle): Settling | null {
    if (settle.epoch !== this.epoch) return null;
    const row = this.statements.deliveryToSettle.get(settle.delivery, settle.attempt);
    if (row === undefined) return null;
    return { fn: Number(row["fn"]), key: row["key"] as string | null, event: Number(row["event"]) };
  }

  private holdsTimer(fired: { name: string; dueMs: number; epoch: number }): boolean {
    return fired.epoch === this.epoch && this.statements.timerDue.get(fired.name)?.["due"] === fired.dueMs;
  }

  private liveAnswer(key: string, nowMs: number): StoredAnswer | null {
    const row = this.statements.answer.get(key, nowMs);
    return row === undefined ? null : { key, fingerprint: String(row["fingerprint"]), bytes: row["bytes"] as Uint8Array };
  }

  private staleReads(reads: ReadSet, nowMs: number): string[] {
    const stale: string[] = [];
    for (const [key, version] of reads.keys) {
      const row = this.statements.kvVersion.get(key, nowMs);
      if (Number(row?.["version"] ?? 0) !== version) stale.push(key);
    }
    for (const range of reads.ranges) {
      if (this.ranges.digest(range.prefix, range.after, range.to, nowMs) !== range.digest) stale.push(`${range.prefix}*`);
    }
    return stale;
  }

  /** What each event meets, or the indexes of those whose id was used for other content. */
  private lookUp(events: readonly NewEvent[], nowMs: number): Seen[] | number[] {
    if (events.length === 0) return [];
    this.ids.age(nowMs, this.seq);
    const clashes: number[] = [];
    const twins = new Map<string, number>();
    const seen = events.map((event, index): Seen => {
      const hash = this.ids.hash(event.source, event.id);
      if (!event.dedupe) return { kind: "new", hash };
      const name = `${hash.high}.${hash.low}`;
      const twin = twins.get(name);
      const before = twin === undefined ? undefined : events[twin];
      if (twin !== undefined && before?.id === event.id && before.source === event.source) {
        if (before.json !== event.json) clashes.push(index);
        return { kind: "twin", index: twin };
      }
      twins.set(name, index);
      const first = this.ids.find(hash, nowMs);
      if (first === null) return { kind: "new", hash };
      const judged = this.judge(first, event, nowMs);
      if (judged === "clash") clashes.push(index);
      return judged === "other" ? { kind: "new", hash } : { kind: "repeat", seq: first };
    });
    return clashes.length > 0 ? clashes : seen;
  }

  /** A first event that retention has taken already counts as the same. */
  private judge(first: number, event: NewEvent, nowMs: number): "same" | "clash" | "other" {
    const row = this.statements.eventIdentity.get(first);
    if (row === undefined) return "same";
    if (row["id"] !== event.id || row["source"] !== event.source) return "other";
    if (nowMs - Number(row["received_ms"]) >= DEDUPE_MS) return "other";
    return row["json"] === event.json ? "same" : "clash";
  }

  // ── writes ──

  private settle(settle: Settle, { fn, key, event }: Settling, nowMs: number, promoted: ReadyDelivery[]): void {
    const { statements } = this;
    const { outcome, delivery } = settle;
    switch (outcome.kind) {
      case "done":
        statements.setDone.run(nowMs, delivery);
        this.tally.add(fn, STATE.ready, -1);
        break;
      case "retry":
        this.recordError(settle, outcome.error, nowMs);
        statements.setWaiting.run(settle.attempt + 1, Math.max(outcome.dueMs, this.nowMs), this.next(), delivery);
        return;
      case "postpone":
        statements.setWaiting.run(settle.attempt, Math.max(outcome.dueMs, this.nowMs), this.next(), delivery);
        return;
      case "dead": {
        const held = outcome.hold && key !== null;
        this.recordError(settle, outcome.error, nowMs);
        statements.setDead.run(held ? STATE.held : STATE.dead, settle.attempt + 1, nowMs, delivery);
        statements.insertDead.run(delivery, fn, held ? 1 : 0, event);
        this.tally.add(fn, STATE.ready, -1);
        this.tally.add(fn, held ? STATE.held : STATE.dead, 1);
        if (held) return;
        break;
      }
      default:
        outcome satisfies never;
    }
    if (key !== null) this.promote(fn, key, promoted);
  }

  /** Lets those go that wait at the head of a lane, as far as there is room. */
  promote(fn: number, key: string, promoted: ReadyDelivery[] | null): void {
    for (let waiting = this.lanes.next(fn, key); waiting !== null; waiting = this.lanes.next(fn, key)) {
      const pos = this.next();
      this.statements.setReady.run(waiting.attempt, this.nowMs, pos, waiting.seq);
      this.tally.add(fn, STATE.blocked, -1);
      this.tally.add(fn, STATE.ready, 1);
      promoted?.push(this.readyView(fn, key, waiting, pos));
    }
  }

  private readyView(fn: number, key: string | null, waiting: Waiting, pos: number): ReadyDelivery {
    const row = this.statements.event.get(waiting.event);
    const run = runKindOf(waiting.run);
    return {
      seq: waiting.seq,
      fn: this.names.name(fn),
      key,
      partition: waiting.partition,
      attempt: waiting.attempt,
      ready: { dueMs: this.nowMs, pos },
      ...(run === null ? {} : { run }),
      event: {
        seq: waiting.event,
        json: String(row?.["json"]),
        type: this.names.name(Number(row?.["type"])),
        origin: originOf(Number(row?.["origin"])),
        hops: Number(row?.["hops"]),
        receivedMs: Number(row?.["received_ms"]),
      },
    };
  }

  private wokenView(seq: number): ReadyDelivery {
    const row = this.statements.wokenDelivery.get(seq);
    const waiting = {
      seq,
      event: Number(row?.["event"]),
      partition: Number(row?.["partition"]),
      attempt: Number(row?.["attempt"]),
      run: Number(row?.["run"]),
    };
    return this.readyView(Number(row?.["fn"]), row?.["key"] as string | null, waiting, Number(row?.["pos"]));
  }

  private recordError(settle: Pick<Settle, "delivery" | "attempt" | "startedMs" | "invocation">, error: AttemptError, nowMs: number): void {
    this.statements.insertAttempt.run(
      settle.delivery,
      settle.attempt + 1,
      settle.startedMs,
      nowMs,
      settle.invocation,
      error.name.slice(0, NAME_CHARS),
      error.message.slice(0, MESSAGE_CHARS),
      error.stack?.slice(0, STACK_CHARS) ?? null,
    );
  }

  private setTimer(timer: NewTimer): void {
    this.statements.upsertTimer.run(timer.name, timer.kind, timer.partition, timer.dueMs, timer.payload);
  }

  private writeKv(write: KvWrite): void {
    if (write.op === "delete") {
      this.statements.deleteKv.run(write.key);
      return;
    }
    const value = write.value.kind === "json" ? write.value.json : write.value.bytes;
    this.statements.upsertKv.run(write.key, this.next(), write.expiresMs, value);
  }

  private writeAnswer(answer: NewAnswer): void {
    this.statements.upsertAnswer.run(answer.key, answer.expiresMs, answer.fingerprint, answer.bytes);
  }

  private append(events: readonly NewEvent[], seen: readonly Seen[] | number[], nowMs: number, news: RunNews): AppendedEvent[] {
    const appended: AppendedEvent[] = [];
    for (const [index, event] of events.entries()) {
      const met = seen[index];
      if (typeof met !== "object") continue;
      const named = event.deliveries[0]?.run;
      const existing = named?.named === true ? this.runs.find(named.id) : null;
      if (existing !== null) appended.push({ seq: 0, duplicate: true, deliveries: [], existing });
      else if (met.kind === "new") appended.push(this.appendOne(event, met.hash, nowMs, news));
      else appended.push({ seq: met.kind === "repeat" ? met.seq : (appended[met.index]?.seq ?? 0), duplicate: true, deliveries: [] });
    }
    return appended;
  }

  private appendOne(event: NewEvent, hash: IdHash, nowMs: number, news: RunNews): AppendedEvent {
    const seq = this.next();
    const type = this.names.intern(event.type);
    const origin = originCode(event.origin);
    const { deliveries, dedupe, hops, id, source, cause, json } = event;
    this.statements.insertEvent.run(seq, deliveries.length, nowMs, type, origin, dedupe ? 1 : 0, hops, id, source, cause, json);
    // All its deliveries first: their numbers follow the event's without a gap.
    this.seq += deliveries.length;
    this.ids.add(hash, seq, dedupe, nowMs);
    // Before the runs that it begins: what these wait for comes after it.
    if (event.waitKeys !== undefined) this.runs.offer(seq, json, event.waitKeys, nowMs, news);
    const delivered = deliveries.map((delivery, i) => this.deliver(seq, seq + 1 + i, delivery, nowMs));
    return { seq, duplicate: false, deliveries: delivered };
  }

  private deliver(
    event: number,
    seq: number,
    delivery: NewEvent["deliveries"][number],
    nowMs: number,
  ): AppendedEvent["deliveries"][number] {
    const { key, partition, width, run, ended } = delivery;
    const fn = this.names.intern(delivery.fn);
    if (run !== undefined && ended !== undefined) {
      this.statements.insertDone.run(seq, event, fn, this.nowMs, seq, partition, width, key, runKindCode(run.kind), ended.atMs);
      this.runs.beginEnded(seq, fn, run, ended, nowMs);
      return { seq, ready: null };
    }
    const ready = key === null || this.lanes.hasRoom(fn, key, width);
    const dueMs = this.nowMs;
    const state = ready ? STATE.ready : STATE.blocked;
    this.statements.insertDelivery.run(seq, event, fn, state, dueMs, seq, partition, width, key, runKindCode(run?.kind));
    if (run !== undefined) this.runs.begin(seq, fn, run, nowMs);
    this.tally.add(fn, state, 1);
    return { seq, ready: ready ? { dueMs, pos: seq } : null };
  }
}

function isClash(seen: readonly Seen[] | number[]): seen is number[] {
  return typeof seen[0] === "number";
}
