import type { AsyncLocalStorage } from "node:async_hooks";
import { format } from "node:util";
import type { Entry } from "../../protocol/journal.ts";
import { FRAME } from "../../protocol/frame.ts";
import type { LogLevel, RunHead } from "../../protocol/messages.ts";
import type { FlowHandler } from "../../sdk/definition.ts";
import { Call } from "../call.ts";
import type { FrameSink } from "../calls.ts";
import { CallContext, type Params, type Surroundings } from "../context.ts";
import { toFunctionError } from "../function-error.ts";
import type { Outside } from "../outside.ts";
import { checkedEvent } from "../checked-event.ts";
import type { Command } from "./command.ts";
import { FlowRun } from "./flow-run.ts";
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
export class FlowCall {
  readonly call: Call;
  readonly run: FlowRun;
  private readonly host: FlowHost;
  private readonly around: Surroundings;
  private readonly attempts = new Set<StepCall>();
  private lastRead = 0;
  private aborted: Error | null = null;

  constructor(
    call: Call,
    head: RunHead,
    host: FlowHost,
    flow: Surroundings & { readonly handler: FlowHandler },
    input: { readonly value: unknown; readonly params: Params },
  ) {
    this.call = call;
    this.host = host;
    this.around = flow;
    const { sink, storage, outside } = host;
    const { number } = call;
    this.run = new FlowRun(
      head,
      {
        open: (head, body) => sink.send(FRAME.open, number, head, body),
        step: (head, effects, body) => sink.send(FRAME.step, number, withEffects(head, effects), body),
        park: (head) => this.leave(() => sink.send(FRAME.park, number, head, null)),
        finish: (head, body) => this.leave(() => sink.send(FRAME.result, number, head, body)),
        begin: () => sink.send(FRAME.begin, number, null, null),
        extend: (ms) => sink.send(FRAME.extend, number, { ms }, null),
        warn: (text) => call.log.line("warn", text),
        transaction: (run, command, attempt, timeoutMs) =>
          this.transaction(run as (tx: CallContext) => unknown, command, attempt, timeoutMs),
        soon: (turn) => void setImmediate(turn),
        apart: outside.apart(number),
      },
      host.habits,
      (run) => {
        const verbs = new FlowVerbs(run, {
          attempt: call.head.attempt,
          params: input.params,
          env: flow.env,
          log: mutedLog(call, run),
          targets: flow.targets,
          stepAround: () => {
            const current = storage.getStore();
            return current instanceof StepCall ? current.words : null;
          },
        });
        const handle = (value: unknown): unknown => (flow.handler as (input: unknown, flow: FlowVerbs) => unknown)(value, verbs);
        return storage.run(call, () => {
          if (head.http) return keptAnswer(handle(input.value));
          return head.checkSchema ? checkedEvent(input.value, flow).then(handle) : handle(input.value);
        });
      },
    );
  }

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

  private transaction(run: (tx: CallContext) => unknown, command: Command, attempt: number, timeoutMs: number): StepCall {
    const { sink } = this.host;
    const { number, head } = this.call;
    const place = this.run.placeOf(command);
    const port = {
      log: (level: LogLevel, text: string, atMs: number) => sink.send(FRAME.log, number, { level, atMs }, text),
      read: (asked: object) => this.run.whenCommitted(() => sink.send(FRAME.read, number, { ...asked, step: place }, null)),
      number: () => ++this.lastRead,
    };
    const isMocked = command.verb === "step" && this.run.head.mocked?.includes(command.name) === true;
    const work = isMocked ? () => step.reads.mock({ name: command.name, number: command.number, attempt }) : run;
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
    this.leave(() => this.host.sink.send(FRAME.threw, this.call.number, { error: toFunctionError(aborted) }, null));
  }

  private leave(say: () => void): void {
    this.call.close("ended");
    say();
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
