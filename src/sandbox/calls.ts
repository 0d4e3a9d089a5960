import { AsyncLocalStorage } from "node:async_hooks";
import { MillraceError } from "../core/errors.ts";
import { TransientMap } from "../core/transient-map.ts";
import { FLAG_BROKEN, FLAG_LAST, FRAME, type Frame, type FrameType } from "../protocol/frame.ts";
import type { FunctionError, HttpHead, RunHead } from "../protocol/messages.ts";
import { AnswerStream } from "./answer-stream.ts";
import { type Answer, toAnswer } from "./answer.ts";
import { Call, type CallHead } from "./call.ts";
import { CallLog } from "./call-log.ts";
import { checkedEvent } from "./checked-event.ts";
import { CallContext, type Params, type Surroundings } from "./context.ts";
import { toFunctionError } from "./function-error.ts";
import type { FlowHandler, Handler } from "../sdk/definition.ts";
import { FlowCall, StepCall } from "./flow/flow-call.ts";
import { keptValue } from "./flow/kept-value.ts";
import { runInput } from "./flow/run-input.ts";
import { StepHabits } from "./flow/step-habits.ts";
import { type BodyOrigin, LazyRequest } from "./lazy-request.ts";
import type { Outside } from "./outside.ts";
import { RequestBody } from "./request-body.ts";

/** The part of the connection that calls need. */
export interface FrameSink {
  send(type: FrameType, call: number, head: object | string | null, body: Uint8Array | string | null, flags?: number): void;
}

/** The function of this instance, loaded. */
export interface LoadedFunction extends Surroundings {
  readonly name: string;
  readonly handler: Handler;
  /** Of a flow, whose runs are run instead. */
  readonly flow: FlowHandler | null;
}

/** What becomes of what the handler returned. */
type End = "nothing" | "value" | "answer";

const NO_PARAMS: Params = Object.freeze({});

/** The calls of this instance: many at once, each known by its number and by its asynchronous context. */
export class Calls {
  private readonly sink: FrameSink;
  private readonly storage = new AsyncLocalStorage<Call>();
  private readonly calls = new TransientMap<number, Call>();
  private readonly flows = new TransientMap<number, FlowCall>();
  private readonly habits = new StepHabits();
  private readonly outside: Outside;
  private readonly onQuiet: () => void;
  /** What is logged between calls. */
  private readonly ownLog: CallLog;

  constructor(sink: FrameSink, outside: Outside, onQuiet: () => void) {
    this.sink = sink;
    this.outside = outside;
    this.onQuiet = onQuiet;
    this.ownLog = new CallLog((level, text, atMs) => sink.send(FRAME.log, 0, { level, atMs }, text));
  }

  /** The call in whose context this is asked. */
  get current(): Call | undefined {
    return this.storage.getStore();
  }

  get currentLog(): CallLog {
    return this.current?.log ?? this.ownLog;
  }

  /** The node still waits for one of them. */
  get isBusy(): boolean {
    for (const { state } of this.calls.values()) if (state === "running" || state === "streaming") return true;
    return false;
  }

  startEvent(frame: Frame, fn: LoadedFunction): void {
    const call = this.begin(frame);
    const text = frame.body.toString("utf8");
    const checkSchema = frame.head["checkSchema"] === true;
    const ends: End = frame.head["result"] === true ? "value" : "nothing";
    this.run(
      call,
      () => {
        const event: unknown = JSON.parse(text);
        const ctx = new CallContext(call, NO_PARAMS, fn);
        return checkSchema ? checkedEvent(event, fn).then((checked) => fn.handler(checked, ctx)) : fn.handler(event, ctx);
      },
      ends,
    );
  }

  startHttp(frame: Frame, fn: LoadedFunction): void {
    const call = this.begin(frame);
    const head = httpHeadOf(frame);
    const request = new LazyRequest(head, this.bodyOf(call, frame), () => call.signal);
    this.run(call, () => fn.handler(request, new CallContext(call, head.params, fn)), "answer");
  }

  /** A run that has begun goes on with the first piece of its journal. */
  startRun(frame: Frame, fn: LoadedFunction): void {
    const call = this.begin(frame);
    const { flow } = fn;
    if (flow === null) {
      this.threw(call, new MillraceError("internal", `"${fn.name}" is no flow`));
      return;
    }
    const head = frame.head["run"] as RunHead;
    const event: unknown = JSON.parse(frame.body.toString("utf8"));
    const { sink, storage, habits, outside } = this;
    const host = { sink, storage, habits, outside, left: (call: Call) => this.forget(call) };
    const started = new FlowCall(call, head, host, { around: fn, handler: flow }, runInput(event, head.http));
    this.flows.set(call.number, started);
    // Of what has not begun there is no journal.
    if (!head.begun) started.entries("[]", true);
  }

  entries(frame: Frame): void {
    this.flows.get(frame.call)?.entries(frame.body.toString("utf8"), (frame.flags & FLAG_LAST) !== 0);
  }

  kept({ call, head }: Frame): void {
    const run = this.flows.get(call)?.run;
    if (head["step"] === 0) run?.begun();
    else run?.kept(head["step"] as number, head["pos"] as number, head["atMs"] as number);
  }

  again({ call, head }: Frame): void {
    this.flows.get(call)?.run.again(head["step"] as number, head["conflict"] === true);
  }

  /** The call cannot be run at all. */
  refuse(frame: Frame, error: FunctionError): void {
    this.sink.send(FRAME.threw, frame.call, { error }, null);
  }

  reply(frame: Frame): void {
    const flow = this.flows.get(frame.call);
    if (flow === undefined) this.calls.get(frame.call)?.reads.settle(frame.head);
    else flow.reply(frame.head);
  }

  /** F10: the answer says that this loop is alive; the handler learns of it by its signal. */
  abort(frame: Frame): void {
    const call = this.calls.get(frame.call);
    this.sink.send(FRAME.aborted, frame.call, null, null);
    const flow = this.flows.get(frame.call);
    if (flow !== undefined && call !== undefined) flow.abort(abortError(frame.head["reason"], call));
    else if (call !== undefined) this.abortCall(call, abortError(frame.head["reason"], call));
  }

  go(frame: Frame): void {
    this.calls.get(frame.call)?.stream?.go();
  }

  discard(frame: Frame): void {
    const call = this.calls.get(frame.call);
    if (call?.state === "streaming") this.abortCall(call, new DOMException("the answer is not wanted any more", "AbortError"));
  }

  requestChunk(frame: Frame): void {
    const { flags } = frame;
    this.calls.get(frame.call)?.requestBody?.push(frame.body, (flags & FLAG_LAST) !== 0, (flags & FLAG_BROKEN) !== 0);
  }

  responseCredit(frame: Frame): void {
    const bytes = frame.head["bytes"];
    if (typeof bytes === "number") this.calls.get(frame.call)?.stream?.grant(bytes);
  }

  /** A rejection that nobody handled ends the call it came from; without a call to blame it is only told. */
  rejected(reason: unknown): void {
    const call = this.current;
    const flow = call === undefined ? undefined : this.flows.get(call.number);
    if (flow !== undefined && call instanceof StepCall) {
      flow.stepBroke(call, reason);
      return;
    }
    if (flow !== undefined) {
      flow.broke(reason);
      return;
    }
    if (call?.state === "running") {
      this.threw(call, reason);
      return;
    }
    const { name, message, stack } = toFunctionError(reason);
    this.currentLog.line("error", `a rejection that nobody handled: ${stack ?? `${name}: ${message}`}`);
  }

  /** Listeners of a signal run where it is aborted, so that has to be the call's own context. */
  private abortCall(call: Call, reason: Error): void {
    this.storage.run(call, () => call.abort(reason));
  }

  private begin(frame: Frame): Call {
    const number = frame.call;
    const call = new Call(number, callHeadOf(frame), {
      log: (level, text, atMs) => {
        // The node knows a call no longer once it has ended: such a line names it.
        if (call.state === "ended") this.sink.send(FRAME.log, 0, { level, atMs, invocation: call.head.id }, text);
        else this.sink.send(FRAME.log, number, { level, atMs }, text);
      },
      read: (head) => this.sink.send(FRAME.read, number, head, null),
    });
    this.calls.set(number, call);
    if (frame.head["notify"] === true) this.sink.send(FRAME.started, number, null, null);
    return call;
  }

  private bodyOf(call: Call, frame: Frame): BodyOrigin {
    if (frame.head["stream"] !== true) return frame.body.length === 0 ? null : Uint8Array.from(frame.body);
    const body = new RequestBody((bytes) => {
      if (this.calls.has(call.number)) this.sink.send(FRAME.requestCredit, call.number, { bytes }, null);
    });
    body.push(frame.body, (frame.flags & FLAG_LAST) !== 0, false);
    call.requestBody = body;
    return body;
  }

  private run(call: Call, handle: () => unknown, ends: End): void {
    this.storage.run(call, () => {
      let result: unknown;
      try {
        result = handle();
      } catch (thrown) {
        this.threw(call, thrown);
        return;
      }
      if (isThenable(result)) {
        result.then(
          (value) => this.returned(call, value, ends),
          (thrown: unknown) => this.threw(call, thrown),
        );
      } else this.returned(call, result, ends);
    });
  }

  private returned(call: Call, value: unknown, ends: End): void {
    if (call.state !== "running") {
      this.lateEnd(call);
      return;
    }
    if (ends === "nothing") {
      this.finish(call, "", null);
      return;
    }
    if (ends === "value") {
      this.finishWithValue(call, value);
      return;
    }
    let answer: Answer;
    try {
      answer = toAnswer(value);
    } catch (error) {
      this.threw(call, error);
      return;
    }
    if (answer.kind === "whole") this.finish(call, answer.head, answer.body);
    else this.startStream(call, answer);
  }

  /** A run called this function for its result. */
  private finishWithValue(call: Call, value: unknown): void {
    const kept = keptValue(value, "the function's result");
    if (kept.ok) this.finish(call, "", kept.text);
    else this.threw(call, kept.error);
  }

  private finish(call: Call, head: string, body: string | Uint8Array | null): void {
    const effects = call.effectsJson;
    call.close("ended");
    this.sink.send(FRAME.result, call.number, resultHead(effects, head), body);
    this.forget(call);
  }

  private startStream(call: Call, answer: Answer & { kind: "stream" }): void {
    const { number } = call;
    const stream = new AnswerStream(answer.source, {
      chunk: (bytes, end) =>
        this.sink.send(FRAME.responseChunk, number, null, bytes, end === "last" ? FLAG_LAST : end === "broken" ? FLAG_BROKEN : 0),
    });
    call.stream = stream;
    const effects = call.effectsJson;
    call.close("streaming");
    this.sink.send(FRAME.result, number, resultHead(effects, `${answer.head},"stream":true`), null);
    void this.flow(call, stream);
  }

  private async flow(call: Call, stream: AnswerStream): Promise<void> {
    const broken = await stream.run();
    if (broken !== null) call.log.line("error", `the answer broke off: ${toFunctionError(broken.thrown).stack ?? "no stack"}`);
    call.close("ended");
    this.forget(call);
  }

  private threw(call: Call, thrown: unknown): void {
    if (call.state !== "running") {
      this.lateEnd(call);
      return;
    }
    const error = toFunctionError(thrown);
    call.close("ended");
    this.sink.send(FRAME.threw, call.number, { error }, null);
    this.forget(call);
  }

  /** An aborted handler has come to its end, and its place is free; what it did is not wanted. */
  private lateEnd(call: Call): void {
    if (call.state !== "aborted") return;
    call.close("ended");
    this.sink.send(FRAME.threw, call.number, { error: toFunctionError(call.abortedBecause) }, null);
    this.forget(call);
  }

  private forget(call: Call): void {
    this.calls.delete(call.number);
    this.flows.delete(call.number);
    if (!this.isBusy) this.onQuiet();
  }
}

/** The node is trusted to speak its own protocol; what is wrong here would show in the handler. */
function callHeadOf({ head }: Frame): CallHead {
  return { id: head["id"] as string, attempt: head["attempt"] as number, timeoutMs: head["timeoutMs"] as number };
}

function httpHeadOf({ head }: Frame): HttpHead {
  return {
    method: head["method"] as string,
    url: head["url"] as string,
    headers: head["headers"] as readonly string[],
    params: head["params"] as Params,
  };
}

function resultHead(effects: string | null, answer: string): string | null {
  if (effects === null) return answer === "" ? null : `{${answer}}`;
  return answer === "" ? `{"effects":${effects}}` : `{"effects":${effects},${answer}}`;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (value instanceof Promise) return true;
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function abortError(reason: unknown, call: Call): Error {
  return reason === "timeout"
    ? new DOMException(`the call took longer than its timeout of ${call.head.timeoutMs} ms`, "TimeoutError")
    : new DOMException("the client went away before the answer", "AbortError");
}
