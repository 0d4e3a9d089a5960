import { MillraceError } from "../core/errors.ts";
import type { WireValue } from "../protocol/messages.ts";
import { fromValueText } from "../protocol/value-text.ts";
import type { CommittedState, ListPage, ListQuery } from "./kv-view.ts";

export type SendRead = (head: object) => void;

type Head = Readonly<Record<string, unknown>>;

/** The committed state over `read` and `reply` frames (F12). */
export class PendingReads implements CommittedState {
  /** Something was. */
  asked = false;
  private readonly send: SendRead;
  private readonly waiting = new Map<number, PromiseWithResolvers<Head>>();
  private readonly number: () => number;
  private count = 0;

  constructor(send: SendRead, number?: () => number) {
    this.send = send;
    this.number = number ?? (() => ++this.count);
  }

  /** A reply may hold fewer values than were asked for (they must fit a frame); the rest is asked for again. */
  async get(keys: readonly string[]): Promise<readonly (WireValue | null)[]> {
    const values: (WireValue | null)[] = [];
    while (values.length < keys.length) {
      const reply = await this.read({ op: "get", keys: keys.slice(values.length) });
      const entries = entriesOf(reply).slice(0, keys.length - values.length);
      if (entries.length === 0) throw new MillraceError("internal", "the node answered a read of keys without a value");
      for (const entry of entries) values.push(entry as WireValue | null);
    }
    return values;
  }

  async list(query: ListQuery): Promise<ListPage> {
    const reply = await this.read({ op: "list", ...query });
    const entries = entriesOf(reply) as ListPage["entries"];
    return { entries, more: reply["more"] === true || entries.length >= query.limit };
  }

  /** A test plays the part of a step. */
  async mock(step: { readonly name: string; readonly number: number; readonly attempt: number }): Promise<unknown> {
    const [outcome] = entriesOf(await this.read({ op: "mock", ...step })) as readonly { readonly ok: boolean; readonly value: string }[];
    const value = fromValueText(outcome?.value ?? "~");
    if (outcome?.ok === true) return value;
    throw value;
  }

  /** A reply frame has come. */
  settle(head: Head): void {
    const number = head["read"];
    if (typeof number !== "number") return;
    const waiting = this.waiting.get(number);
    this.waiting.delete(number);
    if (waiting === undefined) return;
    if (head["error"] === undefined) waiting.resolve(head);
    else waiting.reject(new MillraceError("internal", `the node could not read the kv: ${messageOf(head["error"])}`));
  }

  /** Whoever still waits hears why there will be no answer. */
  refuse(reason: Error): void {
    for (const waiting of this.waiting.values()) waiting.reject(reason);
    this.waiting.clear();
  }

  private read(what: object): Promise<Head> {
    this.asked = true;
    const read = this.number();
    const waiting = Promise.withResolvers<Head>();
    this.waiting.set(read, waiting);
    this.send({ read, ...what });
    return waiting.promise;
  }
}

function entriesOf(reply: Head): readonly unknown[] {
  const entries = reply["entries"];
  if (!Array.isArray(entries)) throw new MillraceError("internal", "the node answered a read without entries");
  return entries as readonly unknown[];
}

function messageOf(error: unknown): string {
  if (typeof error === "string") return error;
  return typeof error === "object" && error !== null && "message" in error ? String(error.message) : "no reason was given";
}
