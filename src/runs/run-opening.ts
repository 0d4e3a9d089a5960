import { MillraceError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import { topicOf, waitValue } from "../core/wait-key.ts";
import { flatten } from "../delivery/delivery-run.ts";
import { errorText } from "../delivery/error-text.ts";
import { runEvent } from "../delivery/run-event.ts";
import type { RunMessage } from "../pool/pool.ts";
import type { NewCallback, NewEntry, NewEvent, NewWait } from "../store/store.ts";
import { signalValue } from "./arrivals.ts";
import type { OpenFacts } from "./journal-notes.ts";
import type { DriveRoom, Driven } from "./run-driven.ts";
import { commandOf } from "./run-entries.ts";
import { guardOf } from "./wait-guard.ts";

type Message = Readonly<Record<string, unknown>>;
type OpenMessage = Extract<RunMessage, { kind: "open" }>;
type Named = Pick<NewEntry, "verb" | "name" | "number">;

/** Turns what the handler asks for into what is committed for it: notes, waits, callbacks, the beginnings of other runs. */
export class Opener {
  private readonly driven: Driven;
  private readonly room: DriveRoom;

  constructor(driven: Driven) {
    this.driven = driven;
    this.room = driven.room;
  }

  open(messages: readonly OpenMessage[], nowMs: number): Opening {
    const opening = new Opening(nowMs);
    for (const { head, body } of messages) {
      const command = namedBy(head);
      try {
        this.openOne(command, head, body, opening);
      } catch (error) {
        opening.completions.push({ ...command, phase: "failed", attempt: 0, ranMs: 0, value: errorText(flatten(error)) });
      }
    }
    return opening;
  }

  private openOne(command: Named, head: Message, body: string, opening: Opening): void {
    const { nowMs } = opening;
    const note = (facts: object): void => {
      opening.notes.push({ ...command, phase: "opened", attempt: 0, ranMs: 0, value: JSON.stringify(facts) });
    };
    switch (command.verb) {
      case "sleep": {
        const { ms, atMs } = head as { ms?: number; atMs?: number };
        note({ dueMs: Math.round(ms === undefined ? (atMs ?? nowMs) : nowMs + ms) });
        return;
      }
      case "wait":
        this.openWait(command, head, opening, note);
        return;
      case "callback": {
        const { timeoutMs } = head as { timeoutMs: number | null };
        const answer = commandOf({ ...command, verb: "answer" });
        opening.callbacks.push({ tokenHash: this.room.tokenHashOf(this.driven.run.id, answer), command: answer });
        opening.complete(command, JSON.stringify({ dueMs: timeoutMs === null ? null : nowMs + timeoutMs }));
        return;
      }
      case "call":
        note({ target: head["target"], ...this.beginChild(command, head, body, opening, true) });
        return;
      case "start": {
        const { id } = this.beginChild(command, head, body, opening, false);
        opening.complete(command, JSON.stringify({ id }));
        return;
      }
      case "map":
        note({ total: head["total"], tolerated: head["tolerated"] });
        return;
      case "step":
      case "rollback":
        // It waits for its next attempt, whose time the journal has.
        return;
      default:
        throw new MillraceError("internal", `a run cannot ask for "${command.verb}"`);
    }
  }

  private openWait(command: Named, head: Message, opening: Opening, note: (facts: object) => void): void {
    const { type, match, where, sql, timeoutMs, since } = head as {
      type: string;
      match: readonly (readonly [string, unknown])[];
      where: readonly Readonly<Record<string, unknown>>[];
      sql: string | null;
      timeoutMs: number | null;
      since: "step" | "start";
    };
    const facts: OpenFacts = { dueMs: timeoutMs === null ? null : opening.nowMs + timeoutMs, where, sql };
    const guard = guardOf(facts);
    const key = commandOf(command);
    const signal = this.driven.journal.notes.signals.find(({ wait }) => wait === command.name);
    if (signal !== undefined) {
      opening.complete(command, signalValue(signal.data, signal.wait, signal.pos));
      return;
    }
    this.driven.news.guard(key, guard);
    const topic = topicOf(
      type,
      match.map(([path]) => path),
    );
    this.room.host.live.topics.add(topic);
    opening.waits.push({
      command: key,
      topic,
      value: waitValue(match.map(([, value]) => value)),
      guarded: guard !== null,
      sinceSeq: since === "start" ? this.driven.entry.event.seq : this.driven.journal.notes.horizon,
    });
    note({ ...facts, type, match });
  }

  private beginChild(command: Named, head: Message, body: string, opening: Opening, isCalled: boolean): { readonly id: string } {
    const { live, deps } = this.room.host;
    const target = head["target"] as string;
    const given = head["id"] as string | null;
    const fn = live.functions.get(target);
    if (fn === undefined) throw live.unknown(target);
    const hops = this.driven.entry.event.hops + 1;
    if (hops > deps.hopLimit)
      throw new MillraceError(
        "function_failed",
        `${commandOf(command)} would lengthen a chain beyond ${deps.hopLimit} hops: do flows begin each other in a circle?`,
      );
    const id = given ?? newId(opening.nowMs);
    const facts = {
      text: body,
      source: `/functions/${this.driven.fn.name}`,
      nowMs: opening.nowMs,
      origin: "function",
      hops,
      cause: this.driven.run.id,
    } as const;
    const parent = isCalled ? { run: this.driven.entry.seq, command: commandOf(command) } : null;
    opening.events.push(
      runEvent(fn, facts, live.router, {
        id,
        named: given !== null,
        kind: fn.flow === undefined ? "fn" : "flow",
        parent,
        deadlineMs: isCalled ? this.driven.run.deadlineMs : null,
      }),
    );
    opening.children.push(isCalled ? commandOf(command) : null);
    return { id };
  }
}

/** What one turn of the handler asked for. */
export class Opening {
  readonly nowMs: number;
  readonly notes: Omit<NewEntry, "pos">[] = [];
  readonly completions: Omit<NewEntry, "pos">[] = [];
  readonly waits: NewWait[] = [];
  readonly callbacks: NewCallback[] = [];
  readonly events: NewEvent[] = [];
  /** Of each event the command that waits for its run, or null. */
  readonly children: (string | null)[] = [];

  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }

  /** It must be on disk now; the rest may wait for the next commit. */
  get urgent(): boolean {
    return this.completions.length + this.waits.length + this.callbacks.length + this.events.length > 0;
  }

  complete(command: Named, value: string): void {
    this.completions.push({ ...command, phase: "done", attempt: 0, ranMs: 0, value });
  }
}

export function namedBy(head: Message): Named {
  return { verb: head["verb"] as NewEntry["verb"], name: head["name"] as string, number: head["number"] as number };
}
