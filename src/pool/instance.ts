import { toError, TransientMap } from "../core/index.ts";
import { type Frame, FRAME, type FunctionError, pickVersion, ProtocolError, SPOKEN_VERSIONS } from "../protocol/index.ts";
import { type Beyond, type Ending, loadFailure } from "./blame.ts";
import { type CallsHost, CallsInFlight } from "./calls-in-flight.ts";
import { CallbackDeadline } from "./deadlines.ts";
import { InstanceConnection } from "./instance-connection.ts";
import { InstanceFolder } from "./instance-folder.ts";
import { InstanceLog } from "./instance-log.ts";
import type { Assignment, InstanceContext, InstanceOwner, InstanceUser, Preparation } from "./instance-roles.ts";
import { LoopGauge } from "./loop-gauge.ts";
import type { Exit, InstanceClass, InstanceProcess } from "./spawn.ts";
import type { Ticket } from "./ticket.ts";
import type { Oldest } from "./usage-watch.ts";
import { readError, readNumber } from "./wire.ts";

/** After `stop`, until it is killed. */
const STOP_MS = 1000;

let lastId = 0;

/** One process, seen from the node: its connection, what it is given to do, its end. */
export class Instance implements CallsHost {
  readonly id = ++lastId;
  readonly instanceClass: InstanceClass;
  readonly startedMs: number;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
  ready = false;
  loaded = false;
  retiring = false;
  ended = false;
  /** Runs a call that wants to be alone, or is kept free for one. */
  exclusive = false;
  readonly gauge = new LoopGauge();
  readonly folder: InstanceFolder;
  /** Calls that it takes at once. */
  callLimit = 0;
  idleSinceMs: number;
  readyMs = 0;
  loadedMs = 0;
  givenMs = 0;
  assignment: Assignment | null = null;
  /** Whoever had it had no more use for it. */
  dismissed = false;
  private readonly context: InstanceContext;
  private readonly process: InstanceProcess;
  private readonly connection: InstanceConnection;
  private readonly tickets = new TransientMap<number, Ticket>();
  private readonly calls: CallsInFlight;
  private readonly log: InstanceLog;
  private readonly limit: CallbackDeadline;
  private owner: InstanceOwner;
  private user: InstanceUser | null = null;
  private onDescribed: ((head: Readonly<Record<string, unknown>>) => void) | null = null;
  private onCompiled: ((head: Readonly<Record<string, unknown>>) => void) | null = null;

  constructor(context: InstanceContext, instanceClass: InstanceClass, owner: InstanceOwner) {
    this.context = context;
    this.instanceClass = instanceClass;
    this.owner = owner;
    this.startedMs = context.nowMs();
    this.idleSinceMs = this.startedMs;
    const directory = context.directories.make();
    this.process = context.spawn(instanceClass, directory);
    this.folder = new InstanceFolder(directory, instanceClass, this.process);
    this.log = new InstanceLog({
      tickets: this.tickets,
      fn: () => this.assignment?.fn ?? null,
      rename: this.folder.rename,
      onStray: context.onStrayLog,
    });
    this.connection = new InstanceConnection(
      this.process,
      (frame) => this.onFrame(frame),
      (message) => this.end({ kind: "violation", message }),
    );
    this.calls = new CallsInFlight({
      tickets: this.tickets,
      host: this,
      writer: this.connection.writer,
      deadlines: context.deadlines,
      nowMs: context.nowMs,
      graceMs: context.graceMs,
      memoryBytes: instanceClass.memoryBytes,
      rename: this.folder.rename,
      log: this.log,
      gauge: this.gauge,
    });
    this.limit = new CallbackDeadline(() => this.end({ kind: "blocked" }));
    this.gone = new Promise((resolve) => {
      this.process.listen(
        (bytes) => this.ended || this.connection.receive(bytes),
        (exit) => {
          this.onExit(exit);
          resolve();
        },
        (stream, piece) => this.log.printed.push(stream, piece) || this.leaveFlooded(),
      );
    });
    this.context.deadlines.set(this.limit, this.startedMs + context.loadLimitMs);
    context.onSpawned(this);
  }

  get pid(): number {
    return this.process.pid;
  }

  get finishedCalls(): number {
    return this.gauge.endedCalls;
  }

  get running(): number {
    return this.tickets.size;
  }

  /** At work and without a word for so long that something holds its loop. */
  get silent(): boolean {
    return this.loaded && this.running > 0 && this.gauge.isSilent(this.loadedMs, this.context.nowMs());
  }

  get utilisation(): number | null {
    return this.gauge.utilisation;
  }

  get watchedTmp(): string | null {
    return this.folder.watchedTmp;
  }

  get accepts(): boolean {
    return this.ready && this.assignment !== null && !this.retiring && !this.ended && !this.exclusive;
  }

  /** Gives it a function. Calls may follow at once, without waiting for `loaded`. */
  assign(assignment: Assignment, user: InstanceUser): void {
    this.owner = user;
    this.user = user;
    this.assignment = assignment;
    this.idleSinceMs = this.context.nowMs();
    this.givenMs = this.idleSinceMs;
    this.context.deadlines.set(this.limit, this.idleSinceMs + this.context.loadLimitMs);
    try {
      const directory = this.place(assignment.directory);
      this.connection.writer.send(FRAME.load, 0, { ...assignment.loadHead, directory }, null);
      this.connection.writer.flush();
    } catch (error) {
      const { message } = toError(error);
      queueMicrotask(() => this.failLoad({ name: "LoadFailed", message: `the release could not be read: ${message}`, stack: null }));
    }
  }

  /** Asks for the manifest of a bundle. */
  describe(
    asked: { bundle: string; entries: unknown; env: unknown },
    owner: InstanceOwner,
    onDescribed: (head: Readonly<Record<string, unknown>>) => void,
  ): void {
    const { bundle, entries, env } = asked;
    this.owner = owner;
    this.onDescribed = onDescribed;
    this.context.deadlines.set(this.limit, this.context.nowMs() + this.context.loadLimitMs);
    const directory = this.place(bundle);
    this.assignment = { fn: "", directory: bundle, loadHead: {} };
    this.connection.writer.send(FRAME.manifest, 0, { directory, entries, env }, null);
  }

  /** Lays a release's code out and has it compiled; none of it runs. Throws when the release cannot be read. */
  prepare({ directory: bundle, entries, mostBytes }: Preparation): void {
    const directory = this.place(bundle);
    this.connection.writer.send(FRAME.prepare, 0, { directory, entries, mostBytes }, null);
  }

  /** Has code caches made of a bundle's files, in its tmp. `onCompiled` is told how many. */
  compile(bundle: string, files: readonly string[], owner: InstanceOwner, onCompiled: (files: number) => void): void {
    this.owner = owner;
    this.context.deadlines.set(this.limit, this.context.nowMs() + this.context.loadLimitMs);
    const directory = this.place(bundle);
    this.assignment = { fn: "", directory: bundle, loadHead: {} };
    this.onCompiled = (head) => onCompiled(readNumber(head, "files"));
    this.connection.writer.send(FRAME.compile, 0, { directory, files, out: this.folder.ownTmp }, null);
  }

  send(ticket: Ticket): void {
    this.calls.send(ticket);
  }

  /** Takes no more calls, finishes those it has, then goes. */
  retire(): void {
    if (this.retiring || this.ended) return;
    this.retiring = true;
    if (this.tickets.size === 0) this.leave();
  }

  /** Ends it now; calls still in flight were not to blame. */
  endNow(): void {
    this.dismissed = true;
    this.end({ kind: "ended" });
  }

  /** As somebody from outside might: what becomes of that is found out like any end. */
  kill(): void {
    this.process.kill();
  }

  exceeded(beyond: Beyond): void {
    this.end({ kind: "beyond", beyond });
  }

  get oldest(): Oldest | null {
    return this.calls.oldest;
  }

  // from the instance

  private onFrame(frame: Frame): void {
    if (this.ended) return;
    switch (frame.type) {
      case FRAME.ready:
        this.onReady(frame.head);
        return;
      case FRAME.loaded:
        this.onLoaded(frame.head);
        return;
      case FRAME.described:
        this.context.deadlines.clear(this.limit);
        this.onDescribed?.(frame.head);
        return;
      case FRAME.compiled:
        this.context.deadlines.clear(this.limit);
        this.onCompiled?.(frame.head);
        return;
      case FRAME.loadReport:
        this.onReport(readNumber(frame.head, "utilisation"), readNumber(frame.head, "heapBytes"));
        return;
      case FRAME.log:
        this.log.onLine(frame);
        return;
      case FRAME.fatal:
        this.end({ kind: "fatal", number: frame.call, error: readError(frame.head["error"], this.folder.rename) });
        return;
      case FRAME.result:
      case FRAME.threw:
      case FRAME.started:
      case FRAME.read:
      case FRAME.responseChunk:
      case FRAME.requestCredit:
      case FRAME.aborted:
      case FRAME.open:
      case FRAME.step:
      case FRAME.park:
      case FRAME.extend:
      case FRAME.begin:
        this.calls.onFrame(frame);
        return;
      default:
        throw new ProtocolError(`frame type ${frame.type} is not for the node`);
    }
  }

  private onReady(head: Readonly<Record<string, unknown>>): void {
    if (this.ready) throw new ProtocolError("ready twice");
    const { protocols } = head;
    const picked = pickVersion(protocols);
    if (picked === null)
      throw new ProtocolError(`protocol ${JSON.stringify(protocols)} is not spoken here, only ${SPOKEN_VERSIONS.join(", ")}`);
    this.process.confine?.();
    this.connection.speak(picked);
    this.ready = true;
    this.readyMs = this.context.nowMs();
    if (this.assignment === null) this.context.deadlines.clear(this.limit);
    this.owner.instanceReady(this);
  }

  private onLoaded(head: Readonly<Record<string, unknown>>): void {
    if (this.assignment === null || !this.ready || this.loaded) throw new ProtocolError("loaded without a load");
    if (head["error"] !== undefined) {
      this.failLoad(readError(head["error"], this.folder.rename));
      return;
    }
    this.loaded = true;
    this.loadedMs = this.context.nowMs();
    this.context.deadlines.clear(this.limit);
    this.calls.beginAll(this.loadedMs);
    this.owner.instanceLoaded(this);
  }

  private onReport(utilisation: number, heapBytes: number): void {
    if (!this.loaded) return;
    const at = { running: this.running, loadedMs: this.loadedMs, nowMs: this.context.nowMs() };
    const report = this.gauge.report(utilisation, heapBytes, at);
    if (report !== null) this.user?.instanceReported(this, report);
  }

  /** Its streams are closed: later calls want an instance that has some. */
  private leaveFlooded(): false {
    this.retire();
    return false;
  }

  // ends

  callEnded(): void {
    this.gauge.endedCalls++;
    if (this.tickets.size === 0) {
      this.exclusive = false;
      this.idleSinceMs = this.context.nowMs();
      if (this.retiring) this.leave();
    }
    this.owner.instanceFreed(this);
  }

  private leave(): void {
    this.connection.writer.send(FRAME.stop, 0, null, null);
    this.connection.writer.flush();
    this.context.deadlines.set(this.limit, this.context.nowMs() + STOP_MS);
  }

  private failLoad(error: FunctionError): void {
    if (!this.ended) this.endWith({ kind: "ended" }, error);
  }

  end(ending: Ending): void {
    if (this.ended) return;
    const failure = this.loaded || this.retiring ? null : loadFailure(ending, this.instanceClass.memoryBytes);
    this.endWith(ending, failure);
  }

  private endWith(ending: Ending, cause: FunctionError | null): void {
    const failure = cause === null ? null : this.named(cause);
    this.ended = true;
    this.context.deadlines.clear(this.limit);
    this.process.kill();
    this.calls.loseAll({ ending, failure }, (lost) => this.owner.instanceEnded(this, failure, lost));
  }

  /** Whoever reads this may not know which code was loaded. */
  private named(error: FunctionError): FunctionError {
    const { fn = "", file } = this.assignment ?? {};
    return file === undefined ? error : { ...error, message: `${fn} (${file}) could not be loaded: ${error.message}` };
  }

  private onExit(exit: Exit): void {
    this.log.printed.flush();
    this.end({ kind: "gone", exit });
    this.context.directories.remove(this.folder.path);
  }

  /** Lays a release's code out in its folder. Throws when the release cannot be read. */
  private place(bundle: string): string {
    const { placed } = this.folder;
    if (placed !== null && placed !== bundle) {
      this.folder.clear();
      // What it has compiled of the other release is forgotten.
      this.connection.writer.send(FRAME.prepare, 0, { directory: "", entries: [], mostBytes: 0 }, null);
    }
    return this.folder.place(bundle);
  }
}
