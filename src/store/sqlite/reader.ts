/** The reader's thread: everything that only looks, on a connection of its own, so that no query delays a commit. */
import type { DatabaseSync } from "node:sqlite";
import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { MillraceError } from "../../core/index.ts";
import { openReader } from "./connection.ts";
import { packError, storeError } from "./errors.ts";
import { Reads } from "./reads.ts";
import type { FromReader, ReaderVerbs, Request, WorkerData } from "./requests.ts";
import { RunReads } from "./run-reads.ts";
import { Views } from "./views.ts";

interface Opened {
  readonly database: DatabaseSync;
  readonly reads: Reads;
  readonly views: Views;
  readonly runs: RunReads;
}

class Reader {
  private readonly port: MessagePort;
  private readonly file: string;
  private opened: Opened | null = null;

  constructor(port: MessagePort, file: string) {
    this.port = port;
    this.file = file;
  }

  answer(request: Request<ReaderVerbs>): void {
    const { call } = request;
    try {
      this.send({ call, value: request.verb === "close" ? this.close() : this.look(request) });
    } catch (thrown) {
      const error = storeError(thrown, this.file);
      this.send({ call, error: packError(error) });
    }
    if (request.verb === "close") this.port.close();
  }

  /** One verb sees one state of the file. */
  private look(request: Exclude<Request<ReaderVerbs>, { verb: "close" }>): unknown {
    const opened = (this.opened ??= open(this.file));
    const { database } = opened;
    try {
      database.exec("BEGIN");
      return perform(request, opened);
    } finally {
      if (database.isTransaction) database.exec("COMMIT");
    }
  }

  private close(): null {
    this.opened?.database.close();
    this.opened = null;
    return null;
  }

  private send(message: FromReader): void {
    this.port.postMessage(message);
  }
}

function perform(request: Exclude<Request<ReaderVerbs>, { verb: "close" }>, { reads, views, runs }: Opened): unknown {
  switch (request.verb) {
    case "ready":
      return reads.ready(request.ask);
    case "dueTimers":
      return reads.dueTimers(request.ask);
    case "timers":
      return reads.timers(request.ask);
    case "kvGet":
      return reads.kvGet(request.ask);
    case "kvList":
      return reads.kvList(request.ask);
    case "answer":
      return reads.answer(request.ask);
    case "events":
      return views.events(request.ask);
    case "dead":
      return views.dead(request.ask);
    case "delivery":
      return views.delivery(request.ask);
    case "logs":
      return views.logs(request.ask);
    case "ownedRun":
      return runs.ownedRun(request.ask);
    case "journal":
      return runs.journal(request.ask);
    case "eventsOfType":
      return runs.eventsOfType(request.ask);
    case "run":
      return runs.run(request.ask);
    case "runs":
      return runs.runs(request.ask);
    case "runReleases":
      return runs.runReleases(request.ask);
    case "waitTopics":
      return runs.waitTopics();
    default:
      return request satisfies never;
  }
}

function open(file: string): Opened {
  const database = openReader(file);
  return { database, reads: new Reads(database), views: new Views(database), runs: new RunReads(database) };
}

if (parentPort === null) throw new MillraceError("internal", "the store's reader runs in a thread of its own only");
const port = parentPort;
const reader = new Reader(port, (workerData as WorkerData).file);
port.on("message", (request: Request<ReaderVerbs>) => reader.answer(request));
