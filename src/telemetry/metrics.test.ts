import { describe, expect, it } from "vitest";
import { Metrics } from "./metrics.ts";
import { Registry } from "./registry.ts";

function watched(): Metrics {
  const metrics = new Metrics("1.2.3");
  metrics.watch({
    delivery: () => ({
      waiting: 5,
      parked: 3,
      running: 2,
      dead: 1,
      functions: [{ fn: 'odd "name"\\', exists: true, waiting: 5, parked: 3, running: 2, dead: 1 }],
    }),
    pool: () => ({
      instances: 3,
      spares: 4,
      running: 2,
      waiting: 0,
      coldStarts: 9,
      functions: [{ fn: "a", instances: 3, running: 2, waiting: 0, coldStarts: { count: 1, phases: null }, startFailure: null }],
    }),
    health: () => ({ state: "failing", error: new Error("x"), sinceMs: 1 }),
  });
  return metrics;
}

describe("metrics", () => {
  it("count what the rooms tell", () => {
    const metrics = watched();
    metrics.ingested(10, 3);
    metrics.refused("events", "bad_event");
    metrics.invoked("a", "event", "done", 4);
    metrics.invoked("a", "event", "done", 400);
    metrics.invoked("a", "http", "failed", 1);
    metrics.waited("a", 2);
    metrics.conflicted("a");
    metrics.died("a");
    metrics.coldStarted("a", { waitMs: 1, loadMs: 9, firstCallMs: 2 });
    metrics.logged("warn");
    const lines = metrics.text().split("\n");
    for (const line of [
      "millrace_events_ingested_total 10",
      "millrace_events_duplicates_total 3",
      'millrace_refused_total{door="events",code="bad_event"} 1',
      'millrace_invocations_total{function="a",kind="event",outcome="done"} 2',
      'millrace_invocations_total{function="a",kind="http",outcome="failed"} 1',
      'millrace_invocation_seconds_bucket{function="a",le="0.001"} 1',
      'millrace_invocation_seconds_bucket{function="a",le="0.005"} 2',
      'millrace_invocation_seconds_bucket{function="a",le="+Inf"} 3',
      'millrace_invocation_seconds_sum{function="a"} 0.405',
      'millrace_invocation_seconds_count{function="a"} 3',
      'millrace_delivery_wait_seconds_bucket{function="a",le="0.0025"} 1',
      'millrace_conflicts_total{function="a"} 1',
      'millrace_dead_total{function="a"} 1',
      'millrace_cold_starts_total{function="a"} 1',
      'millrace_cold_start_seconds_bucket{le="0.015"} 1',
      'millrace_cold_start_phase_seconds_bucket{phase="load",le="0.005"} 0',
      'millrace_cold_start_phase_seconds_bucket{phase="load",le="0.01"} 1',
      'millrace_cold_start_phase_seconds_sum{phase="first_call"} 0.002',
      'millrace_log_lines_total{level="warn"} 1',
      "millrace_deliveries_waiting 5",
      "millrace_deliveries_running 2",
      "millrace_dead_letters 1",
      'millrace_function_deliveries_waiting{function="odd \\"name\\"\\\\"} 5',
      "millrace_instances 3",
      "millrace_spares 4",
      "millrace_store_healthy 0",
      `millrace_build_info{version="1.2.3",node="${process.versions.node}"} 1`,
    ]) {
      expect(lines).toContain(line);
    }
  });

  it("are Prometheus' text format: each family once, with HELP and TYPE, samples beneath", () => {
    const text = watched().text();
    const families = text.split(/^(?=# HELP )/m).map((part) => part.trimEnd().split("\n"));
    const names = families.map(([help = ""]) => /^# HELP (\w+) \S/.exec(help)?.[1] ?? `not a HELP line: ${help}`);
    expect(names).toEqual([...new Set(names)]);
    for (const [i, [, type = "", ...samples]] of families.entries()) {
      const name = names[i] ?? "";
      expect(type).toMatch(new RegExp(`^# TYPE ${name} (${name.endsWith("_total") ? "counter" : "gauge|histogram"})$`));
      const sample = new RegExp(
        `^${name}(_bucket|_sum|_count)?(\\{(\\w+="([^"\\\\\\n]|\\\\["\\\\n])*",?)*\\})? \\d+(\\.\\d+)?(e[+-]\\d+)?$`,
      );
      for (const line of samples) expect(line).toMatch(sample);
    }
    expect(text.endsWith("\n")).toBe(true);
  });

  it("have one family a name", () => {
    const registry = new Registry();
    registry.counter("a_total", "A.");
    expect(() => registry.counter("a_total", "B.")).toThrow("a_total");
  });
});
