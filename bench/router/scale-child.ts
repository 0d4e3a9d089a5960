/** The process of `ScaleProcess`. */
import { Matcher } from "../../src/events/patterns/index.ts";
import { round } from "../report.ts";
import { Turn } from "./rounds.ts";
import { type Hits, lotNumber, makeScaleEvents, type ScaleEvent } from "./scale-events.ts";
import type { Answer, Ask, Loaded } from "./scale-process.ts";

const CHECK_MS = 1000;

const rules = Number(process.argv[2]);
const matcher = new Matcher<number>();
const prepared = new Map<Hits, { readonly events: readonly ScaleEvent[]; readonly turn: Turn }>();

process.on("message", (ask: Ask) => process.send?.(answer(ask)));

function answer(ask: Ask): Answer {
  switch (ask.kind) {
    case "load":
      return load();
    case "check":
      return check(prepare(ask.hits).events);
    case "measure":
      return prepare(ask.hits).turn.take(ask.ms);
    default:
      throw new Error(`nobody asks that: ${JSON.stringify(ask satisfies never)}`);
  }
}

function load(): Loaded {
  // The code itself, compiled when it first runs, is no rule's.
  fill(new Matcher<number>(), 100);
  const before = heapBytes();
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  fill(matcher, rules);
  const { user, system } = process.cpuUsage(cpu);
  const loadS = (performance.now() - startMs) / 1000;
  const loadCpuS = (user + system) / 1e6;
  const bytes = heapBytes() - before;
  return {
    loadS: round(loadS, 3),
    loadCpuS: round(loadCpuS, 3),
    heapBytesPerRule: rules < 1000 ? null : Math.round(bytes / rules),
    stats: statsOf(matcher),
  };
}

/** The first match is part of it: a matcher may build what it searches when it is first asked. */
function fill(matcher: Matcher<number>, rules: number): void {
  for (let rule = 0; rule < rules; rule++) matcher.add(rule, { properties: { MAPBLKLOT: [lotNumber(rule)] } });
  matcher.match(Buffer.from('{"type":"Feature","properties":{"MAPBLKLOT":""}}'));
}

/** Typed arrays lie outside the heap and count all the same. */
function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error("this process needs --expose-gc");
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function statsOf(matcher: object): unknown {
  return "stats" in matcher && typeof matcher.stats === "function" ? (matcher.stats() as unknown) : null;
}

function prepare(hits: Hits): { readonly events: readonly ScaleEvent[]; readonly turn: Turn } {
  let ready = prepared.get(hits);
  if (ready === undefined) {
    const events = makeScaleEvents(rules, hits);
    ready = { events, turn: new Turn((i) => matcher.match(events[i]?.bytes ?? "").length, events.length) };
    prepared.set(hits, ready);
  }
  return ready;
}

/** All events, or as many as the time allows. */
function check(events: readonly ScaleEvent[]): number {
  const startMs = performance.now();
  for (const [i, { bytes, rule }] of events.entries()) {
    const [first = null, ...more] = matcher.match(bytes);
    if (first !== rule || more.length > 0)
      throw new Error(`event ${i} should match rule ${rule}, the matcher says ${[first, ...more].join()}`);
    if (performance.now() - startMs > CHECK_MS) return i + 1;
  }
  return events.length;
}
