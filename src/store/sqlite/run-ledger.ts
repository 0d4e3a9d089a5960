import type { DatabaseSync, StatementSync } from "node:sqlite";
import { pathsOf, valueAt, waitValue } from "../../core/wait-key.ts";
import type {
  Arrival,
  CallbackAnswer,
  CallbackEnd,
  NewArrival,
  NewRun,
  NewWait,
  RunAtItsEnd,
  RunChange,
  RunMove,
  WaitKey,
} from "../store.ts";
import type { Names } from "./names.ts";
import { arrivalCode, FIRST_ENDED, PHASE_DONE, PHASE_FAILED, phaseCode, READY, runKindCode, runStateCode, verbCode } from "./run-codes.ts";
import { FAR_MS, STATE } from "./schema.ts";
import type { Tally } from "./tally.ts";

/** What the ledger lends. */
export interface LedgerHand {
  readonly nowMs: () => number;
  readonly lastSeq: () => number;
  readonly next: () => number;
  readonly epoch: () => number;
  readonly names: Names;
  readonly tally: Tally;
  readonly promote: (fn: number, key: string) => void;
  readonly recordAttempt: (run: number, move: Extract<RunMove, { kind: "retry" }>, nowMs: number) => void;
}

/** What one member brings to runs. */
export interface RunNews {
  readonly arrivals: Arrival[];
  /** Runs to be handed to their owners, by number. */
  readonly woken: Set<number>;
}

/** Of a callback in the file. */
const CALLBACK = { open: 0, answered: 1, closed: 2 } as const;

const SQL = {
  insertRun: `INSERT INTO runs (seq, id, fn, kind, release, state, started_ms, deadline_ms, parent, parent_command, seed)
    VALUES (?, ?, ?, ?, ?, ${READY}, ?, ?, ?, ?, ?)`,
  insertEnded: `INSERT INTO runs (seq, id, fn, kind, release, state, started_ms, deadline_ms, seed, ended_ms, value)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  seedOf: "SELECT seed FROM runs WHERE seq = ?",
  runOfId: "SELECT seq FROM runs WHERE id = ?",
  holds: `SELECT 1 FROM runs WHERE seq = ?1 AND state < ${FIRST_ENDED} AND NOT EXISTS (SELECT 1 FROM journal WHERE run = ?1 AND pos >= ?2)`,
  hasEntry: "SELECT 1 FROM journal WHERE run = ? AND pos = ? AND at_ms = ?",
  insertEntry: "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  // The completed commands are gathered once: looked for at each row, a journal of 10,000 took 100 million looks.
  copyEntries: `INSERT INTO journal SELECT ?1, pos, verb, phase, number, attempt, ran_ms, at_ms, at_seq, name, value FROM journal
    WHERE run = ?2 AND pos < ?3 AND (verb, name, number) IN
      (SELECT verb, name, number FROM journal WHERE run = ?2 AND pos < ?3 AND phase IN (${PHASE_DONE}, ${PHASE_FAILED}))`,
  setRelease: "UPDATE runs SET release = ? WHERE seq = ?",
  parkRun: "UPDATE runs SET state = ?, note = ? WHERE seq = ?",
  endRun: "UPDATE runs SET state = ?, ended_ms = ?, note = NULL, value = ? WHERE seq = ?",
  parentOf: "SELECT parent, parent_command FROM runs WHERE seq = ?",
  liveChildren: `SELECT seq FROM runs WHERE parent = ? AND state < ${FIRST_ENDED}`,
  isLive: `SELECT 1 FROM runs WHERE seq = ? AND state < ${FIRST_ENDED}`,
  delivery: "SELECT fn, key, state, attempt FROM deliveries WHERE seq = ?",
  parkDelivery: `UPDATE deliveries SET state = ${STATE.parked}, attempt = 0, due = ?, pos = ? WHERE seq = ?`,
  retryDelivery: `UPDATE deliveries SET state = ${STATE.ready}, attempt = ?, due = ?, pos = ? WHERE seq = ?`,
  endDelivery: `UPDATE deliveries SET state = ${STATE.done}, settled_ms = ? WHERE seq = ?`,
  wake: `UPDATE deliveries SET due = ?, pos = ? WHERE seq = ? AND state = ${STATE.parked}`,
  insertWait: "INSERT INTO waits (run, command, topic, value, guarded) VALUES (?, ?, ?, ?, ?)",
  waitsFor: "SELECT id, run, command, guarded FROM waits WHERE topic = ? AND value = ? ORDER BY id",
  deleteWait: "DELETE FROM waits WHERE id = ?",
  deleteWaits: "DELETE FROM waits WHERE run = ?",
  closeWaits: "DELETE FROM waits WHERE run = ? AND command = ?",
  eventsSince: "SELECT seq, json FROM events WHERE type = ? AND seq > ? ORDER BY seq",
  insertCallback: `INSERT INTO callbacks (token_hash, run, command, state) VALUES (?, ?, ?, ${CALLBACK.open})`,
  callback: "SELECT run, command, state, answer FROM callbacks WHERE token_hash = ?",
  answerCallback: `UPDATE callbacks SET state = ${CALLBACK.answered}, answer = ? WHERE token_hash = ?`,
  closeCallbacks: `UPDATE callbacks SET state = ${CALLBACK.closed} WHERE run = ? AND command = ? AND state = ${CALLBACK.open}`,
  insertArrival: "INSERT INTO arrivals VALUES (?, ?, ?, ?, ?, ?)",
  deleteArrival: "DELETE FROM arrivals WHERE id = ? AND run = ?",
  deleteArrivals: "DELETE FROM arrivals WHERE run = ?",
  hasArrival: "SELECT 1 FROM arrivals WHERE run = ? LIMIT 1",
} as const;

type RunStatements = { readonly [Name in keyof typeof SQL]: StatementSync };

/** The part of the ledger that writes runs: their beginning, their changes, what arrives for them. */
export class RunLedger {
  private readonly hand: LedgerHand;
  private readonly statements: RunStatements;

  constructor(database: DatabaseSync, hand: LedgerHand) {
    this.hand = hand;
    this.statements = Object.fromEntries(Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)])) as RunStatements;
    this.statements.holds.setReturnArrays(true);
  }

  /** The run that has this id already, if there is one. */
  find(id: string): number | null {
    const row = this.statements.runOfId.get(id);
    return row === undefined ? null : Number(row["seq"]);
  }

  begin(seq: number, fn: number, run: NewRun, nowMs: number): void {
    const { names } = this.hand;
    const { id, kind, release, deadlineMs, parent, copies } = run;
    // What is copied was drawn from the other's seed.
    const seed = copies === undefined ? run.seed : String(this.statements.seedOf.get(copies.from)?.["seed"] ?? run.seed);
    this.statements.insertRun.run(
      seq,
      id,
      fn,
      runKindCode(kind),
      names.intern(release),
      nowMs,
      deadlineMs,
      parent?.run ?? null,
      parent?.command ?? null,
      seed,
    );
    for (const wait of run.waits) this.insertWait(seq, wait);
    if (copies !== undefined) this.statements.copyEntries.run(seq, copies.from, copies.beforePos);
  }

  /** It begins, and it has ended: nothing waits for it, and it waits for nothing. */
  beginEnded(seq: number, fn: number, { id, kind, release, deadlineMs, seed }: NewRun, ended: RunAtItsEnd, nowMs: number): void {
    const { statements, hand } = this;
    const { atMs, entries, state, value } = ended;
    const atSeq = hand.lastSeq();
    statements.insertEnded.run(
      seq,
      id,
      fn,
      runKindCode(kind),
      hand.names.intern(release),
      runStateCode(state),
      nowMs,
      deadlineMs,
      seed,
      atMs,
      value,
    );
    for (const entry of entries) {
      const { pos, verb, name, number, phase, attempt, ranMs, value } = entry;
      statements.insertEntry.run(seq, pos, verbCode(verb), phaseCode(phase), number, attempt, ranMs, entry.atMs, atSeq, name, value);
    }
  }

  /** Whether the change may be made: the lease is ours, the run lives, and its positions are free. */
  holds(change: RunChange): boolean {
    if (change.epoch !== this.hand.epoch()) return false;
    const { run, entries, from, after, move } = change;
    if (this.statements.holds.get(run, from ?? entries[0]?.pos ?? Number.MAX_SAFE_INTEGER) === undefined) return false;
    if (after !== undefined && this.statements.hasEntry.get(run, after.pos, after.atMs) === undefined) return false;
    if (move?.kind !== "retry") return true;
    return Number(this.statements.delivery.get(run)?.["attempt"]) === move.attempt;
  }

  /** Returns the highest number that had been given when its entries were written. */
  change(change: RunChange, isSettled: boolean, nowMs: number, news: RunNews): number {
    const { statements, hand } = this;
    const { run, entries, move } = change;
    const atSeq = hand.lastSeq();
    for (const { pos, verb, name, number, phase, attempt, ranMs, value } of entries)
      statements.insertEntry.run(run, pos, verbCode(verb), phaseCode(phase), number, attempt, ranMs, nowMs, atSeq, name, value);
    if (change.taken !== undefined) for (const id of change.taken) statements.deleteArrival.run(id, run);
    if (change.closed !== undefined)
      for (const command of change.closed) {
        statements.closeWaits.run(run, command);
        statements.closeCallbacks.run(run, command);
      }
    // A run that ends by the same change waits for nothing.
    if (change.waits !== undefined && move?.kind !== "end") for (const wait of change.waits) this.wait(run, wait, nowMs, news);
    if (change.callbacks !== undefined)
      for (const { tokenHash, command } of change.callbacks) statements.insertCallback.run(tokenHash, run, command);
    if (change.release !== undefined) statements.setRelease.run(hand.names.intern(change.release), run);
    if (move !== undefined) this.move(run, move, isSettled, nowMs, news);
    return atSeq;
  }

  /** An event offers itself to those who wait. */
  offer(seq: number, json: string, keys: readonly WaitKey[], nowMs: number, news: RunNews): void {
    for (const { topic, value } of keys) {
      const id = this.hand.names.find(topic);
      if (id === null) continue;
      for (const row of this.statements.waitsFor.all(id, value)) {
        if (row["guarded"] === 0) this.statements.deleteWait.run(Number(row["id"]));
        this.arrive({ run: Number(row["run"]), kind: "event", command: String(row["command"]), value: eventValue(seq, json) }, nowMs, news);
      }
    }
  }

  arrive(arrival: NewArrival, nowMs: number, news: RunNews): void {
    const { run, kind, command, value } = arrival;
    if (this.statements.isLive.get(run) === undefined) return;
    const id = this.hand.next();
    this.statements.insertArrival.run(id, run, arrivalCode(kind), nowMs, command, value);
    news.arrivals.push({ id, run, kind, command, value, atMs: nowMs });
    this.wake(run, news);
  }

  answer({ tokenHash, value }: CallbackAnswer, nowMs: number, news: RunNews): CallbackEnd {
    const row = this.statements.callback.get(tokenHash);
    if (row === undefined) return "unknown";
    if (row["state"] === CALLBACK.answered) return row["answer"] === value ? "repeated" : "late";
    const run = Number(row["run"]);
    if (row["state"] !== CALLBACK.open || this.statements.isLive.get(run) === undefined) return "over";
    this.statements.answerCallback.run(value, tokenHash);
    this.arrive({ run, kind: "answer", command: String(row["command"]), value }, nowMs, news);
    return "taken";
  }

  // ── what a run waits for ──

  /** Looks back first: what fits and is there already ends the wait at once. */
  private wait(run: number, wait: NewWait, nowMs: number, news: RunNews): void {
    const { topic, value, guarded, sinceSeq, command } = wait;
    if (sinceSeq !== null) {
      const { type, paths } = pathsOf(topic);
      const id = this.hand.names.find(type);
      for (const row of id === null ? [] : this.statements.eventsSince.iterate(id, sinceSeq)) {
        const json = String(row["json"]);
        const event: unknown = paths.length === 0 ? null : JSON.parse(json);
        if (waitValue(paths.map((path) => valueAt(event, path))) !== value) continue;
        this.arrive({ run, kind: "event", command, value: eventValue(Number(row["seq"]), json) }, nowMs, news);
        if (!guarded) return;
      }
    }
    this.insertWait(run, wait);
  }

  private insertWait(run: number, { command, topic, value, guarded }: NewWait): void {
    this.statements.insertWait.run(run, command, this.hand.names.intern(topic), value, guarded ? 1 : 0);
  }

  /** Due now, behind everything that was due before (S15). */
  private wake(run: number, news: RunNews): void {
    if (news.woken.has(run)) return;
    const { changes } = this.statements.wake.run(this.hand.nowMs(), this.hand.next(), run);
    if (Number(changes) > 0) news.woken.add(run);
  }

  // ── where it goes ──

  private move(run: number, move: RunMove, isSettled: boolean, nowMs: number, news: RunNews): void {
    const { statements, hand } = this;
    if (move.kind === "end" && isSettled) return this.end(run, move, nowMs, news);
    const row = statements.delivery.get(run);
    const fn = Number(row?.["fn"]);
    const state = Number(row?.["state"]);
    switch (move.kind) {
      case "park": {
        const waits = statements.hasArrival.get(run) === undefined;
        const dueMs = waits ? Math.max(move.dueMs ?? FAR_MS, hand.nowMs()) : hand.nowMs();
        statements.parkDelivery.run(dueMs, hand.next(), run);
        statements.parkRun.run(runStateCode(move.state), move.note, run);
        if (!waits) news.woken.add(run);
        hand.tally.add(fn, state, -1);
        hand.tally.add(fn, STATE.parked, 1);
        return;
      }
      case "retry":
        hand.recordAttempt(run, move, nowMs);
        // What its own waits found is taken when it is tried again.
        news.woken.delete(run);
        statements.parkRun.run(READY, null, run);
        statements.retryDelivery.run(move.attempt + 1, Math.max(move.dueMs, hand.nowMs()), hand.next(), run);
        hand.tally.add(fn, state, -1);
        hand.tally.add(fn, STATE.ready, 1);
        return;
      case "end": {
        statements.endDelivery.run(nowMs, run);
        hand.tally.add(fn, state, -1);
        this.end(run, move, nowMs, news);
        const key = row?.["key"];
        if (typeof key === "string") hand.promote(fn, key);
        return;
      }
      default:
        move satisfies never;
    }
  }

  private end(run: number, move: Extract<RunMove, { kind: "end" }>, nowMs: number, news: RunNews): void {
    const { statements } = this;
    const { state, value } = move;
    statements.endRun.run(runStateCode(state), nowMs, value, run);
    statements.deleteWaits.run(run);
    statements.deleteArrivals.run(run);
    for (const child of statements.liveChildren.all(run))
      this.arrive({ run: Number(child["seq"]), kind: "cancel", command: "", value: CALLER_ENDED }, nowMs, news);
    const row = statements.parentOf.get(run);
    const parent = row?.["parent"];
    if (typeof parent === "number")
      this.arrive(
        {
          run: parent,
          kind: "child",
          command: String(row?.["parent_command"]),
          value: JSON.stringify({ ok: state === "done", state, value }),
        },
        nowMs,
        news,
      );
  }
}

const CALLER_ENDED = JSON.stringify({ rollback: true, reason: "its caller ended" });

function eventValue(seq: number, json: string): string {
  return JSON.stringify({ seq, json });
}
