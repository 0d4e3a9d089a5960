import type { AsyncLocalStorage } from "node:async_hooks";
import { format } from "node:util";
import type { Entry } from "../../protocol/journal.ts";
import { FRAME, type FrameType } from "../../protocol/frame.ts";
import type { LogLevel, RunHead } from "../../protocol/messages.ts";
import type { FlowHandler } from "../../sdk/definition.ts";
import { Call } from "../call.ts";
import type { FrameSink } from "../calls.ts";
import { CallContext, type Params, type Surroundings } from "../context.ts";
import { toFunctionError } from "../function-error.ts";
import type { Outside } from "../outside.ts";
import { checkedEvent } from "../checked-event.ts";
import type { Command } from "./command.ts";
import { type FlowPort, FlowRun } from "./flow-run.ts";
import { FlowVerbs } from "./flow-verbs.ts";
import { keptAnswer } from "./kept-answer.ts";
import type { Attempt } from "./step-attempts.ts";
import type { StepHabits } from "./step-habits.ts";

const NO_PARAMS: Params = Object.freeze({});

/** The transaction of one attempt at a step. */
export class StepCall extends Call implements Attempt {
  readonly words: string;
  private readonly storage: AsyncLocalStorage<Call>;
  private readonly work: () => unknown;

  constructor(
    base: ConstructorParameters<typeof Call>,
    words: string,
    storage: AsyncLocalStorage<Call>,
    work: (tx: CallContext) => unknown,
    around: Surroundings,
  ) {
    super(...base);
    this.words = words;
    this.storage = storage;
    this.work = () => work(new CallContext(this, NO_PARAMS, around));
  }

  run(): unknown {
    return this.storage.run(this, this.work);
  }

  override abort(reason: Error): void {
    // Listeners of the signal run in the step's own context.
    this.storage.run(this, () => super.abort(reason));
  }

  override close(): void {
    super.close("ended");
  }
}

export interface FlowHost {
  readonly sink: FrameSink;
  readonly storage: AsyncLocalStorage<Call>;
  readonly habits: StepHabits;
  readonly outside: Outside;
  /** The run has left this instance. */
  readonly left: (call: Call) => void;
}

/** One activation of a run in this instance: its frames, its handler's context, the transactions of its steps. */
export class FlowCall implements FlowPort {
  readonly call: Call;
  readonly run: FlowRun;
  readonly outside: Outside;
  readonly callNumber: number;
  private readonly host: FlowHost;
  private readonly around: Surroundings;
  private readonly attempts = new Set<StepCall>();
  private lastRead = 0;
  private aborted: Error | null = null;

  constructor(
    call: Call,
    head: RunHead,
    host: FlowHost,
    { around, handler }: { readonly around: Surroundings; readonly handler: FlowHandler },
    input: { readonly value: unknown; readonly params: Params },
  ) {
    this.call = call;
    this.callNumber = call.number;
    this.host = host;
    this.outside = host.outside;
    this.around = around;
    this.run = new FlowRun(head, this, host.habits, (run) => {
      const verbs = new FlowVerbs(run, {
        attempt: call.head.attempt,
        params: input.params,
        env: around.env,
        log: mutedLog(call, run),
        targets: around.targets,
        stepAround: () => {
          const current = host.storage.getStore();
          return current instanceof StepCall ? current.words : null;
        },
      });
      const handle = (value: unknown): unknown => (handler as (input: unknown, flow: FlowVerbs) => unknown)(value, verbs);
      return host.storage.run(call, () => {
        if (head.http) return keptAnswer(handle(input.value));
        return head.checkSchema ? checkedEvent(input.value, around).then(handle) : handle(input.value);
      });
    });
  }

  // the run's way to the node

  open(head: object, body: string | null): void {
    this.host.sink.send(FRAME.open, this.callNumber, head, body);
  }

  step(head: object, effects: string | null, body: string): void {
    this.host.sink.send(FRAME.step, this.callNumber, withEffects(head, effects), body);
  }

  park(head: object): void {
    this.leave(FRAME.park, head, null);
  }

  finish(head: object, body: string): void {
    this.leave(FRAME.result, head, body);
  }

  begin(): void {
    this.host.sink.send(FRAME.begin, this.callNumber, null, null);
  }

  extend(ms: number): void {
    this.host.sink.send(FRAME.extend, this.callNumber, { ms }, null);
  }

  warn(text: string): void {
    this.call.log.line("warn", text);
  }

  soon(turn: () => void): void {
    setImmediate(turn);
  }

  // from the node

  entries(json: string, live: boolean): void {
    this.run.entries(JSON.parse(json) as Entry[], live);
  }

  reply(head: Readonly<Record<string, unknown>>): void {
    for (const attempt of this.attempts) attempt.reads.settle(head);
  }

  /** F10: the node has given it up. It is gone from here when nothing of its steps runs any more. */
  abort(reason: Error): void {
    this.aborted = reason;
    this.call.abort(reason);
    this.run.abort(reason);
    if (!this.isAtWork()) this.leaveAborted();
  }

  broke(thrown: unknown): void {
    this.host.storage.run(this.call, () => this.run.broke(thrown));
  }

  stepBroke(step: StepCall, thrown: unknown): void {
    this.run.stepBroke(step, thrown);
  }

  private isAtWork(): boolean {
    for (const { state } of this.attempts) if (state !== "ended") return true;
    return false;
  }

  transaction(run: (tx: never) => unknown, command: Command, attempt: number, timeoutMs: number): StepCall {
    const { sink } = this.host;
    const { number, head } = this.call;
    const place = this.run.placeOf(command);
    const port = {
      log: (level: LogLevel, text: string, atMs: number) => sink.send(FRAME.log, number, { level, atMs }, text),
      read: (asked: object) => this.run.whenCommitted(() => sink.send(FRAME.read, number, { ...asked, step: place }, null)),
      number: () => ++this.lastRead,
    };
    const isMocked = command.verb === "step" && this.run.head.mocked?.includes(command.name) === true;
    const work = isMocked
      ? () => step.reads.mock({ name: command.name, number: command.number, attempt })
      : (run as (tx: CallContext) => unknown);
    const step: StepCall = new StepCall(
      [number, { id: head.id, attempt, timeoutMs }, port],
      command.words,
      this.host.storage,
      work,
      this.around,
    );
    step.onEnd = () => {
      this.attempts.delete(step);
      if (this.aborted !== null && !this.isAtWork()) this.leaveAborted();
    };
    this.attempts.add(step);
    return step;
  }

  private leaveAborted(): void {
    const { aborted } = this;
    if (aborted === null) return;
    this.aborted = null;
    this.leave(FRAME.threw, { error: toFunctionError(aborted) }, null);
  }

  private leave(type: FrameType, head: object, body: string | null): void {
    this.call.close("ended");
    this.host.sink.send(type, this.callNumber, head, body);
    this.host.left(this.call);
  }
}

function withEffects(head: object, effects: string | null): object | string {
  return effects === null ? head : `${JSON.stringify(head).slice(0, -1)},"effects":${effects}}`;
}

/** What is said while the handler is run again was said before. */
function mutedLog(call: Call, run: FlowRun): FlowVerbs["log"] {
  const at =
    (level: LogLevel) =>
    (...parts: unknown[]): void => {
      if (!run.replaying) call.log.line(level, format(...parts));
    };
  return Object.freeze({ debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") });
}
