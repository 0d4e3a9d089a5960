import { performance } from "node:perf_hooks";
import type { LogLevel } from "../core/log-level.ts";
import { LOG_LEVELS } from "../core/log-level.ts";
import type { InvocationOutcome, Observer } from "../core/observer.ts";
import type { DeliveryStats } from "../delivery/delivery.ts";
import type { PoolStats } from "../pool/pool.ts";
import type { StoreHealth } from "../store/store.ts";
import { type Counter, type CounterFamily, type Histogram, type HistogramFamily, Registry } from "./registry.ts";

/** What is read when the metrics are asked for, instead of being counted. */
export interface MetricSources {
  delivery(): DeliveryStats;
  pool(): PoolStats;
  health(): StoreHealth;
}

/** From a handler that only answers (1 ms) to one that uses up a long time limit. */
const RUN_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
/** A wait may be a backlog of hours. */
const WAIT_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10, 60, 300, 900, 3600, 14400];
const START_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

const PHASE_SECONDS = [0.0005, ...RUN_SECONDS.filter((bound) => bound <= 10)];

type StartPhase = "wait" | "load" | "first_call";
type Kind = "event" | "http";

/** The children that belong to one function, found once: an observation costs one look-up and an addition. */
interface FunctionMetrics {
  readonly invocations: Record<Kind, Partial<Record<InvocationOutcome, Counter>>>;
  readonly ran: Histogram;
  /** Only what events wake has waits. */
  waited: Histogram | undefined;
}

export class Metrics implements Observer {
  private readonly registry = new Registry();
  private readonly functions = new Map<string, FunctionMetrics>();
  private readonly eventsIngested: Counter;
  private readonly eventsDuplicate: Counter;
  private readonly refusals: CounterFamily;
  private readonly invocations: CounterFamily;
  private readonly ranSeconds: HistogramFamily;
  private readonly waitSeconds: HistogramFamily;
  private readonly conflicts: CounterFamily;
  private readonly deaths: CounterFamily;
  private readonly startSeconds: Histogram;
  private readonly phaseSeconds: Readonly<Record<StartPhase, Histogram>>;
  private readonly coldStarts: CounterFamily;
  private readonly logLines: Record<LogLevel, Counter>;

  constructor(version: string) {
    const { registry } = this;
    this.eventsIngested = registry.counter("millrace_events_ingested_total", "Events of the outside that became durable.").with();
    this.eventsDuplicate = registry
      .counter("millrace_events_duplicates_total", "Events that were accepted before and woke nobody again.")
      .with();
    this.refusals = registry.counter("millrace_refused_total", "Events and requests turned away at a door, by error code.", [
      "door",
      "code",
    ]);
    this.invocations = registry.counter("millrace_invocations_total", "Invocations that ended.", ["function", "kind", "outcome"]);
    this.ranSeconds = registry.histogram("millrace_invocation_seconds", "How long handlers ran.", ["function"], RUN_SECONDS);
    this.waitSeconds = registry.histogram(
      "millrace_delivery_wait_seconds",
      "From the moment a delivery was due to the start of its handler.",
      ["function"],
      WAIT_SECONDS,
    );
    this.conflicts = registry.counter("millrace_conflicts_total", "Transactions run again because what they had read changed.", [
      "function",
    ]);
    this.deaths = registry.counter("millrace_dead_total", "Deliveries given up.", ["function"]);
    this.coldStarts = registry.counter("millrace_cold_starts_total", "Calls that had to wait for a new instance.", ["function"]);
    this.startSeconds = registry
      .histogram("millrace_cold_start_seconds", "From asking for an instance until its first call was answered.", [], START_SECONDS)
      .with();
    const phases = registry.histogram(
      "millrace_cold_start_phase_seconds",
      "The same by phase: wait (for a process), load (the code), first_call.",
      ["phase"],
      PHASE_SECONDS,
    );
    this.phaseSeconds = { wait: phases.with("wait"), load: phases.with("load"), first_call: phases.with("first_call") };
    const lines = registry.counter("millrace_log_lines_total", "Log lines that functions wrote.", ["level"]);
    this.logLines = Object.fromEntries(LOG_LEVELS.map((level) => [level, lines.with(level)])) as Record<LogLevel, Counter>;
    registry.gauges("millrace_build_info", "The versions that run, as labels; always 1.", ["version", "node"], () => [
      [[version, process.versions.node], 1],
    ]);
    addProcessMetrics(registry);
  }

  /** Adds the gauges. Apart from the constructor, because what is read here is itself built with an observer. */
  watch(sources: MetricSources): void {
    const { registry } = this;
    registry.gauge(
      "millrace_deliveries_waiting",
      "The backlog: deliveries not yet settled, of all functions.",
      () => sources.delivery().waiting,
    );
    registry.gauge("millrace_runs_parked", "Runs of flows that sleep, wait or are paused.", () => sources.delivery().parked);
    registry.gauge("millrace_deliveries_running", "Deliveries and calls whose handler runs now.", () => sources.delivery().running);
    registry.gauge("millrace_dead_letters", "Dead deliveries that nobody has redriven or purged.", () => sources.delivery().dead);
    registry.gauges("millrace_function_deliveries_waiting", "The backlog of each function.", ["function"], () =>
      sources.delivery().functions.map(({ fn, waiting }) => [[fn], waiting] as const),
    );
    registry.gauges("millrace_function_dead_letters", "Dead deliveries of each function.", ["function"], () =>
      sources.delivery().functions.map(({ fn, dead }) => [[fn], dead] as const),
    );
    registry.gauge("millrace_instances", "Instances that hold a function's code.", () => sources.pool().instances);
    registry.gauges("millrace_function_instances", "Instances of each function.", ["function"], () =>
      sources.pool().functions.map(({ fn, instances }) => [[fn], instances] as const),
    );
    registry.gauge("millrace_spares", "Instances started ahead that no function has yet.", () => sources.pool().spares);
    registry.gauge("millrace_store_healthy", "1 when the store takes commits, 0 when it cannot (disk full, read-only, corrupt).", () =>
      sources.health().state === "ok" ? 1 : 0,
    );
  }

  text(): string {
    return this.registry.text();
  }

  ingested(count: number, duplicates: number): void {
    this.eventsIngested.add(count);
    this.eventsDuplicate.add(duplicates);
  }

  refused(door: "events" | "http" | "control", code: string): void {
    this.refusals.with(door, code).add();
  }

  invoked(fn: string, kind: Kind, outcome: InvocationOutcome, ranMs: number): void {
    const metrics = this.of(fn);
    (metrics.invocations[kind][outcome] ??= this.invocations.with(fn, kind, outcome)).add();
    metrics.ran.observe(ranMs / 1000);
  }

  waited(fn: string, waitedMs: number): void {
    (this.of(fn).waited ??= this.waitSeconds.with(fn)).observe(waitedMs / 1000);
  }

  conflicted(fn: string): void {
    this.conflicts.with(fn).add();
  }

  died(fn: string): void {
    this.deaths.with(fn).add();
  }

  coldStarted(fn: string, { waitMs, loadMs, firstCallMs }: Parameters<Observer["coldStarted"]>[1]): void {
    this.coldStarts.with(fn).add();
    this.startSeconds.observe((waitMs + loadMs + firstCallMs) / 1000);
    this.phaseSeconds.wait.observe(waitMs / 1000);
    this.phaseSeconds.load.observe(loadMs / 1000);
    this.phaseSeconds.first_call.observe(firstCallMs / 1000);
  }

  logged(level: LogLevel): void {
    this.logLines[level].add();
  }

  private of(fn: string): FunctionMetrics {
    let metrics = this.functions.get(fn);
    if (metrics === undefined) {
      metrics = { invocations: { event: {}, http: {} }, ran: this.ranSeconds.with(fn), waited: undefined };
      this.functions.set(fn, metrics);
    }
    return metrics;
  }
}

function addProcessMetrics(registry: Registry): void {
  const startSeconds = Math.round(performance.timeOrigin) / 1000;
  registry.gauge("process_start_time_seconds", "When the node started, in seconds since the Unix epoch.", () => startSeconds);
  registry.gauge(
    "process_cpu_seconds_total",
    "Processor time that the node used, user and system, without its instances.",
    () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6,
    "counter",
  );
  registry.gauge("process_resident_memory_bytes", "Memory of the node, without its instances.", () => process.memoryUsage.rss());
  registry.gauge("nodejs_heap_used_bytes", "JavaScript heap in use.", () => process.memoryUsage().heapUsed);
  registry.gauge(
    "nodejs_eventloop_utilization_ratio",
    "Share of the node's life in which its event loop was busy.",
    () => performance.eventLoopUtilization().utilization,
  );
}
