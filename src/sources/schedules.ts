import { Cron } from "croner";
import type { Clock } from "../core/clock.ts";
import { newId } from "../core/ids.ts";
import type { DeliveryEngine, TimerEffects } from "../delivery/index.ts";
import type { CloudEvent } from "../events/index.ts";
import type { FunctionManifest, Manifest, Trigger } from "../protocol/manifest.ts";
import type { DueTimer, NewTimer, Store } from "../store/store.ts";

type Schedule = Extract<Trigger, { kind: "every" | "cron" }>;

/** What a schedule's timer keeps: when any of it changes, the schedule starts anew. */
interface Plan {
  readonly fn: string;
  readonly schedule: Schedule;
}

export const SCHEDULE_TIMER = "schedule";
export const SCHEDULE_TYPE = "millrace.schedule";

/**
 * `every` and `cron`: one timer row a schedule. Firing appends an event for that one function and sets the timer again, in
 * the same commit, so a schedule is neither lost nor doubled. After downtime it fires once and says what it missed (D25).
 */
export class Schedules {
  /** What the live release wants, by the timer's name. */
  private plans: ReadonlyMap<string, { readonly fn: FunctionManifest; readonly payload: string }> = new Map();
  private readonly store: Store;
  private readonly engine: DeliveryEngine;
  private readonly clock: Clock;

  constructor(deps: { store: Store; engine: DeliveryEngine; clock: Clock }) {
    this.store = deps.store;
    this.engine = deps.engine;
    this.clock = deps.clock;
    this.engine.onTimer(SCHEDULE_TIMER, (timer, nowMs) => this.fire(timer, nowMs));
  }

  /** Sets what is new or changed, ends what is gone; a schedule that stayed keeps its next time. */
  async use(manifest: Manifest): Promise<void> {
    this.plans = plansOf(manifest);
    const nowMs = this.clock.now();
    const present = new Map((await this.store.timers(SCHEDULE_TIMER)).map((timer) => [timer.name, timer.payload]));
    const timers: NewTimer[] = [];
    for (const [name, { payload }] of this.plans) {
      if (present.get(name) === payload) continue;
      const dueMs = nextDueMs((JSON.parse(payload) as Plan).schedule, nowMs, nowMs);
      if (dueMs !== null) timers.push(timerOf(name, payload, dueMs));
    }
    const cancelTimers = [...present.keys()].filter((name) => !this.plans.has(name));
    if (timers.length === 0 && cancelTimers.length === 0) return;
    await this.store.commit({ id: newId(nowMs), nowMs, timers, cancelTimers });
    for (const { dueMs } of timers) this.engine.expectTimer(dueMs);
  }

  private fire(timer: DueTimer, nowMs: number): TimerEffects {
    const wanted = this.plans.get(timer.name);
    // Between a reload and the end of its `use` here: the schedule is gone or changed, and this was the old one's last time.
    if (wanted?.payload !== timer.payload) return {};
    const { fn } = wanted;
    const plan = JSON.parse(timer.payload) as Plan;
    const { dueMs, missed } = afterFiring(plan.schedule, timer.dueMs, nowMs);
    const event: CloudEvent = {
      specversion: "1.0",
      id: newId(nowMs),
      source: `/schedules/${plan.fn}`,
      type: SCHEDULE_TYPE,
      time: new Date(timer.dueMs).toISOString(),
      datacontenttype: "application/json",
      data: { schedule: wordsOf(plan.schedule), missed },
    };
    const json = JSON.stringify(event);
    const delivery = this.engine.deliveryTo(fn, event);
    return {
      events: [
        {
          id: event.id,
          source: event.source,
          type: event.type,
          json,
          origin: "platform",
          hops: 0,
          cause: null,
          dedupe: false,
          deliveries: [delivery],
        },
      ],
      ...(dueMs === null ? {} : { timers: [timerOf(timer.name, timer.payload, dueMs)] }),
    };
  }
}

/** The next time after `nowMs`; `every` keeps to the grid that begins at `fromMs`. null: never again. */
export function nextDueMs(schedule: Schedule, fromMs: number, nowMs: number): number | null {
  switch (schedule.kind) {
    case "every": {
      const steps = Math.floor((nowMs - fromMs) / schedule.everyMs) + 1;
      return fromMs + steps * schedule.everyMs;
    }
    case "cron":
      return cronOf(schedule).nextRun(new Date(nowMs))?.getTime() ?? null;
    default:
      return schedule satisfies never;
  }
}

/** What follows a firing at `nowMs` of a schedule that was due at `dueMs`, and how many more times it had been due meanwhile. */
export function afterFiring(schedule: Schedule, dueMs: number, nowMs: number): { dueMs: number | null; missed: number } {
  const next = nextDueMs(schedule, dueMs, Math.max(nowMs, dueMs));
  if (schedule.kind === "every") return { dueMs: next, missed: Math.floor(Math.max(0, nowMs - dueMs) / schedule.everyMs) };
  return { dueMs: next, missed: missedCronTimes(schedule, dueMs, nowMs) };
}

/** Beyond this many missed times the number tells nobody more: counting 10,000 held the node for a second. */
const MOST_COUNTED = 1000;

function missedCronTimes(schedule: Extract<Schedule, { kind: "cron" }>, dueMs: number, nowMs: number): number {
  const cron = cronOf(schedule);
  let missed = 0;
  for (let at = cron.nextRun(new Date(dueMs)); at !== null && at.getTime() <= nowMs && missed < MOST_COUNTED; at = cron.nextRun(at))
    missed++;
  return missed;
}

function cronOf({ expression, timezone }: Extract<Schedule, { kind: "cron" }>): Cron {
  return new Cron(expression, { paused: true, ...(timezone === null ? { timezone: "UTC" } : { timezone }) });
}

function plansOf(manifest: Manifest): Map<string, { readonly fn: FunctionManifest; readonly payload: string }> {
  const plans = new Map<string, { fn: FunctionManifest; payload: string }>();
  for (const fn of manifest.functions) {
    for (const trigger of fn.triggers) {
      if (trigger.kind !== "every" && trigger.kind !== "cron") continue;
      const plan: Plan = { fn: fn.name, schedule: trigger };
      plans.set(nameOf(plan), { fn, payload: JSON.stringify(plan) });
    }
  }
  return plans;
}

function nameOf({ fn, schedule }: Plan): string {
  return `${SCHEDULE_TIMER}/${fn}/${wordsOf(schedule)}`;
}

function wordsOf(schedule: Schedule): string {
  if (schedule.kind === "every") return `every ${schedule.everyMs}ms`;
  return `cron ${schedule.expression}${schedule.timezone === null ? "" : ` ${schedule.timezone}`}`;
}

function timerOf(name: string, payload: string, dueMs: number): NewTimer {
  return { name, kind: SCHEDULE_TIMER, partition: 0, dueMs, payload };
}
