import type { Worker } from "node:worker_threads";
import { type MillraceError, TransientMap } from "../../core/index.ts";
import { unpackError } from "./errors.ts";
import type { Answer, Ask, Reply } from "./requests.ts";

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** Requests to a thread and the promises that wait for its replies. */
export class Calls<Verbs> {
  private readonly worker: Worker;
  private readonly waiting = new TransientMap<number, Waiting>();
  private lastCall = 0;
  private broken: MillraceError | null = null;

  constructor(worker: Worker) {
    this.worker = worker;
  }

  ask<Verb extends keyof Verbs>(verb: Verb, ask: Ask<Verbs, Verb>): Promise<Answer<Verbs, Verb>> {
    if (this.broken !== null) return Promise.reject(this.broken);
    const call = ++this.lastCall;
    return new Promise((resolve, reject) => {
      this.waiting.set(call, { resolve, reject });
      this.worker.postMessage({ call, verb, ask });
    });
  }

  settle(reply: Reply): void {
    const waiting = this.waiting.get(reply.call);
    this.waiting.delete(reply.call);
    if ("error" in reply) waiting?.reject(unpackError(reply.error));
    else waiting?.resolve(reply.value as never);
  }

  /** The thread has ended: nothing that waits will be answered, and nothing more may be asked. */
  break(error: MillraceError): void {
    this.broken = error;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}
