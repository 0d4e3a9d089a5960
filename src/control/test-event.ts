import { MillraceError } from "../core/errors.ts";
import { explainTrigger } from "../delivery/event-trigger.ts";
import type { FunctionManifest } from "../protocol/manifest.ts";
import type { EventView, Store } from "../store/store.ts";
import { findEventById, findEventBySeq } from "./find-event.ts";
import { findFunction } from "./find-function.ts";
import type { ControlRooms } from "./node-facts.ts";
import type { EventTest, EventTestBody, FunctionTest, TestedEvent } from "./shapes.ts";
import { testPattern } from "./test-pattern.ts";
import { testSql } from "./test-sql.ts";

/** Whether a pattern, an expression, or any trigger of a function matches an event; if not, what in it failed (C15). */
export async function testEvent(asked: EventTestBody, { node, store }: ControlRooms): Promise<EventTest> {
  const { pattern, sql, fn } = asked;
  if ([pattern, sql, fn].filter((each) => each !== undefined).length !== 1)
    throw new MillraceError("bad_request", "the body wants one of pattern, sql and fn: what the event is tested against");
  const { event, logged } = await eventOf(asked, store);
  if (fn !== undefined) return testFunction(findFunction(fn, node.release()), event, logged);
  const tested = logged === null ? null : showTested(logged);
  return sql === undefined ? testPattern(pattern, event, tested) : testSql(sql, event, tested);
}

interface Tested {
  readonly event: object;
  /** Null where the event came with the request. */
  readonly logged: EventView | null;
}

async function eventOf({ event, seq, id }: EventTestBody, store: Store): Promise<Tested> {
  if ([event, seq, id].filter((each) => each !== undefined).length !== 1)
    throw new MillraceError("bad_request", "the body wants one of event, seq and id: which event is tested");
  if (event !== undefined) return { event, logged: null };
  const logged = seq === undefined ? await findEventById(id ?? "", store) : await findEventBySeq(seq, store);
  return { event: JSON.parse(logged.json) as object, logged };
}

function showTested({ seq, id, source, type }: EventView): TestedEvent {
  return { seq, id, source, type };
}

function testFunction({ name, triggers }: FunctionManifest, event: object, logged: EventView | null): FunctionTest {
  const tests = triggers.flatMap((trigger) => (trigger.kind === "event" ? [{ trigger, ...explainTrigger(trigger, event) }] : []));
  const delivery = logged?.deliveries.find(({ fn }) => fn === name);
  return {
    kind: "function",
    fn: name,
    matched: tests.some(({ matched }) => matched),
    event: logged === null ? null : showTested(logged),
    delivery: delivery === undefined ? null : { seq: delivery.seq, state: delivery.state },
    triggers: tests,
  };
}
