import { MillraceError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import type { Observer } from "../core/observer.ts";
import type { Member, MemberResult, NewEvent, NewTimer, Seq } from "../store/store.ts";
import type { Ingested, IngestResult } from "./delivery.ts";
import { delayed, newEvent, outsideTimerName } from "./effects.ts";
import type { LiveRelease } from "./live-release.ts";
import type { Committed, Deps } from "./run.ts";

export interface IngressDeps {
  readonly deps: Deps;
  readonly live: LiveRelease;
  readonly observer: Observer;
  readonly committed: (result: Committed, member: Member) => void;
}

/** Events from outside: checked, routed and made durable, all of them or none. */
export class Ingress {
  private readonly rooms: IngressDeps;

  constructor(rooms: IngressDeps) {
    this.rooms = rooms;
  }

  async take(events: readonly Ingested[]): Promise<IngestResult> {
    const { deps, live, observer, committed } = this.rooms;
    if (events.length === 0) return { kind: "accepted", events: [] };
    const nowMs = deps.clock.now();
    let member: Member;
    let result: MemberResult;
    try {
      const fault = live.schemas.check(events);
      if (fault !== null) return this.refuse(fault);
      member = this.compose(events, nowMs);
      result = await deps.store.commit(member);
    } catch (error) {
      if (error instanceof MillraceError) return this.refuse(error);
      throw error;
    }
    if (result.kind === "clash") {
      const immediate = events.filter((event) => !isDelayed(event, nowMs));
      return this.refuse(
        clashOf(
          events,
          result.indexes.map((index) => events.indexOf(immediate[index] as Ingested)),
        ),
      );
    }
    if (result.kind !== "committed") throw new MillraceError("internal", `an ingress commit ended as ${result.kind}`);
    committed(result, member);
    const taken = inOrderOf(events, nowMs, result.events);
    observer.ingested(
      events.length,
      taken.reduce((sum, { duplicate }) => sum + (duplicate ? 1 : 0), 0),
    );
    return { kind: "accepted", events: taken };
  }

  private compose(events: readonly Ingested[], nowMs: number): Member {
    const appended: NewEvent[] = [];
    const timers: NewTimer[] = [];
    for (const one of events) {
      const facts = { json: one.json, origin: "outside", hops: 0, cause: null } as const;
      if (isDelayed(one, nowMs)) timers.push(delayed(outsideTimerName(one.json), one.event, facts, one.atMs));
      else appended.push(newEvent(one.event, facts, this.rooms.live.router, true));
    }
    return { id: newId(nowMs), nowMs, events: appended, ...(timers.length === 0 ? {} : { timers }) };
  }

  private refuse(error: MillraceError): IngestResult {
    this.rooms.observer.refused("events", error.code);
    return { kind: "refused", error };
  }
}

function isDelayed(event: Ingested, nowMs: number): event is Ingested & { readonly atMs: number } {
  return event.atMs !== undefined && event.atMs > nowMs;
}

/** What became of each event, in the order in which they came: a delayed one has no place yet. */
function inOrderOf(events: readonly Ingested[], nowMs: number, appended: Committed["events"]): { seq: Seq; duplicate: boolean }[] {
  let next = 0;
  return events.map((event) => {
    const made = isDelayed(event, nowMs) ? undefined : appended[next++];
    return { seq: made?.seq ?? 0, duplicate: made?.duplicate ?? false };
  });
}

function clashOf(events: readonly Ingested[], indexes: readonly number[]): MillraceError {
  const named = indexes.map((index) => ({ index, id: events[index]?.event.id, source: events[index]?.event.source }));
  const first = named[0];
  return new MillraceError(
    "duplicate_id",
    `the id "${first?.id}" of source "${first?.source}" was used within the last 24 hours for an event with other content`,
    { details: named },
  );
}
