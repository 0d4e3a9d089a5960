/** The writer's thread: every change to the file is made here, many commits to a transaction. */
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from "node:worker_threads";
import { MillraceError } from "../../core/index.ts";
import type { LogLine, Member, MemberResult } from "../store.ts";
import { packError } from "./errors.ts";
import { Ledgers } from "./ledgers.ts";
import type { Answer, FromWriter, Request, ToWriter, WorkerData, WriterVerbs } from "./requests.ts";
import { purge, redrive, retain } from "./upkeep.ts";
import { FlatReader, type Flat, putResult, takeLogLine, takeMember } from "./wire.ts";

/**
 * A transaction works for about this long and then commits, though more be waiting: the node handles its answers while the next one is
 * under way. Taking everything at once made the two threads wait for each other in turns, at two thirds of the speed.
 */
const WORK_MS = 3;
/** What is taken over from the port at once. */
const MAX_MEMBERS = 4000;
const MAX_CHARS = 8 * 1024 * 1024;

class Writer {
  private readonly port: MessagePort;
  private readonly ledgers: Ledgers;
  private readonly queue: ToWriter[] = [];

  constructor(port: MessagePort, ledgers: Ledgers) {
    this.port = port;
    this.ledgers = ledgers;
  }

  /** Takes everything that has arrived, and what arrives while it works. */
  work(first: ToWriter): void {
    this.queue.push(first);
    this.drain();
    for (let message = this.queue.shift(); message !== undefined; message = this.queue.shift()) {
      if (Array.isArray(message)) this.commitWith(message);
      else this.answer(message);
      this.drain();
    }
  }

  private drain(): void {
    for (let next = receiveMessageOnPort(this.port); next !== undefined; next = receiveMessageOnPort(this.port))
      this.queue.push(next.message);
  }

  private commitWith(first: Flat): void {
    const members: Member[] = [];
    const lines: LogLine[] = [];
    let chars = takeBatch(first, members, lines);
    for (let next = this.queue[0]; Array.isArray(next) && members.length < MAX_MEMBERS && chars < MAX_CHARS; next = this.queue[0]) {
      chars += takeBatch(next, members, lines);
      this.queue.shift();
    }
    if (members.length === 0) return this.writeLines(lines);
    for (let from = 0; from < members.length;) from = this.commitSome(members, from, lines.splice(0));
  }

  /** One transaction of the members from here on, as many as its time allows; returns where the next one begins. */
  private commitSome(members: readonly Member[], from: number, lines: readonly LogLine[]): number {
    const endMs = performance.now() + WORK_MS;
    let at = from;
    try {
      const results = this.ledgers.transact((ledger) => {
        const results: MemberResult[] = [];
        for (; at < members.length && (at === from || performance.now() < endMs); at++) {
          const member = members[at];
          if (member !== undefined) results.push(ledger.apply(member));
        }
        for (const line of lines) ledger.writeLog(line);
        return results;
      });
      this.send(packResults(this.ledgers.highMs, results));
      return at;
    } catch (thrown) {
      const error = this.ledgers.error(thrown);
      const tried = members.slice(from, Math.max(at, from) + 1);
      // A member that breaks the transaction must not take the others with it.
      if (error.code === "internal" && tried.length > 1) for (const member of tried) this.commitSome([member], 0, []);
      else this.send({ failed: tried.length, error: packError(error) });
      return from + tried.length;
    }
  }

  /** No sync: a log line is lost with the power at worst. */
  private writeLines(lines: readonly LogLine[]): void {
    try {
      this.ledgers.transactUnsynced((ledger) => {
        for (const line of lines) ledger.writeLog(line);
      });
    } catch {
      // The disk is full or gone; the commits say so, and log lines have no one to wait for them.
    }
  }

  private answer(request: Request<WriterVerbs>): void {
    const { call } = request;
    try {
      this.send({ call, value: this.perform(request) });
    } catch (thrown) {
      this.send({ call, error: packError(this.ledgers.error(thrown)) });
    }
    if (request.verb === "close") this.port.close();
  }

  private perform(request: Request<WriterVerbs>): Answer<WriterVerbs, typeof request.verb> {
    const { ledgers } = this;
    switch (request.verb) {
      case "acquire":
        return ledgers.transact((ledger) => ledger.raiseEpoch(request.ask.owner));
      case "redrive": {
        const { selection, nowMs, limit } = request.ask;
        return ledgers.transact((ledger, database) => {
          ledger.see(nowMs);
          return redrive(database, ledger, selection, limit);
        });
      }
      case "purge": {
        const { selection, nowMs, limit } = request.ask;
        return ledgers.transact((ledger, database) => {
          ledger.see(nowMs);
          return purge(database, ledger, selection, limit);
        });
      }
      case "retain": {
        const { beforeMs, nowMs, limit } = request.ask;
        return ledgers.transact((ledger, database) => retain(database, ledger, beforeMs, nowMs, limit));
      }
      case "counts":
        return ledgers.counts();
      case "see":
        ledgers.see(request.ask);
        return null;
      case "close":
        ledgers.close();
        return null;
      default:
        return request satisfies never;
    }
  }

  private send(message: FromWriter): void {
    this.port.postMessage(message);
  }
}

/** A batch is `[chars, members, …members, lines, …lines]`. Returns its size. */
function takeBatch(flat: Flat, members: Member[], lines: LogLine[]): number {
  const reader = new FlatReader(flat);
  const chars = reader.number();
  for (let count = reader.number(); count > 0; count--) members.push(takeMember(reader));
  for (let count = reader.number(); count > 0; count--) lines.push(takeLogLine(reader));
  return chars;
}

function packResults(highMs: number, results: readonly MemberResult[]): Flat {
  const flat: Flat = [highMs, results.length];
  for (const result of results) putResult(flat, result);
  return flat;
}

function start(port: MessagePort, data: WorkerData): void {
  const ledgers = new Ledgers(data);
  try {
    ledgers.open();
  } catch (thrown) {
    port.postMessage({ opened: false, error: packError(ledgers.error(thrown)) } satisfies FromWriter);
    return;
  }
  const writer = new Writer(port, ledgers);
  port.on("message", (message: ToWriter) => writer.work(message));
  port.postMessage({ opened: true, highMs: ledgers.highMs } satisfies FromWriter);
}

if (parentPort === null) throw new MillraceError("internal", "the store's writer runs in a thread of its own only");
start(parentPort, workerData as WorkerData);
