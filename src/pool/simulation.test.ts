import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Machine, type Profile, Simulation } from "./testing-support/simulation.ts";

const MACHINE: Machine = { cores: 2, budgetBytes: 10_000, seed: 7 };
const small = (places: number): Machine => ({ ...MACHINE, budgetBytes: places * 100 });

const waiter = (name: string, load: Profile["load"], over: Partial<Profile> = {}): Profile => ({
  name,
  cpuMs: 0.1,
  ioMs: 20,
  load,
  ...over,
});
const worker = (name: string, load: Profile["load"], over: Partial<Profile> = {}): Profile => ({ name, cpuMs: 5, ioMs: 0, load, ...over });

const constant = (perSecond: number) => (): number => perSecond;
const until =
  (endMs: number, load: Profile["load"]) =>
  (nowMs: number): number =>
    nowMs < endMs ? load(nowMs) : 0;
const from =
  (startMs: number, load: Profile["load"]) =>
  (nowMs: number): number =>
    nowMs >= startMs ? load(nowMs) : 0;
const flapping =
  (onMs: number, perSecond: number) =>
  (nowMs: number): number =>
    Math.floor(nowMs / onMs) % 2 === 0 ? perSecond : 0;

// The simulation throws when at any moment the budget is passed, a function has more instances than `max` or than cores that it
// could fill, or calls wait though what they lack is there (S3, S7, S11, S16).

describe("one function", () => {
  it("S1, S5: a step surge of calls that wait: nobody waits for long, and zero after idle", () => {
    const sim = new Simulation(MACHINE, [waiter("f", until(10_000, constant(500)), { idleMs: 2000 })]).run(13_000);
    const { arrived, done, refused, mostInstances, longestWaitMs } = sim.tally("f");
    expect({ done, refused }).toEqual({ done: arrived, refused: 0 });
    expect(longestWaitMs).toBeLessThan(100);
    expect(mostInstances).toBeLessThanOrEqual(2);
    expect(sim.instances("f")).toBe(0);
  });

  it("C6: 2,000 calls in flight that only wait need few instances", () => {
    const crowd = (nowMs: number): number => (nowMs < 20 ? 100_000 : nowMs < 5000 ? 2000 : 0);
    const sim = new Simulation(MACHINE, [waiter("f", crowd, { ioMs: 1000, concurrency: 1000 })]).run(8000);
    expect(sim.tally("f").done).toBe(sim.tally("f").arrived);
    expect(sim.tally("f").mostInstances).toBeLessThanOrEqual(4);
    expect(sim.tally("f").longestWaitMs).toBeLessThan(1000);
  });

  it("S11: a step surge of calls that fill the loop: one instance a core, however many wait", () => {
    const sim = new Simulation(MACHINE, [worker("f", until(10_000, constant(2000)), { max: 20 })]).run(20_000);
    expect(sim.tally("f").mostInstances).toBe(2);
    // Both cores were used all the time: 400 a second.
    expect(sim.tally("f").done).toBeGreaterThan(400 * 19);
  });

  it("S11: a load that one core carries needs no second instance for long", () => {
    const sim = new Simulation(MACHINE, [worker("f", constant(100), { idleMs: 1000 })]).run(30_000);
    expect(
      sim
        .tally("f")
        .waitsMs.toSorted((a, b) => a - b)
        .at(-100),
    ).toBeLessThan(50);
    expect(sim.instances("f")).toBeLessThanOrEqual(2);
  });

  it("S5: a sine follows its load and does not start again at every turn", () => {
    const sine = (nowMs: number): number => 1500 * (1 + Math.sin((nowMs * 2 * Math.PI) / 20_000));
    const sim = new Simulation(MACHINE, [waiter("f", sine)]).run(60_000);
    expect(sim.tally("f").refused).toBe(0);
    expect(sim.tally("f").starts).toBeLessThanOrEqual(4);
  });

  it("S5: a trickle slower than `idle` starts once a call, one that is faster starts once", () => {
    const everySeconds =
      (seconds: number) =>
      (nowMs: number): number =>
        nowMs % (seconds * 1000) === 0 ? 200 : 0;
    const slow = new Simulation(MACHINE, [waiter("f", everySeconds(5), { idleMs: 1000 })]).run(60_000);
    expect(slow.tally("f")).toMatchObject({ arrived: 12, starts: 12 });
    const fast = new Simulation(MACHINE, [waiter("f", everySeconds(5), { idleMs: 10_000 })]).run(60_000);
    expect(fast.tally("f")).toMatchObject({ arrived: 12, starts: 1 });
  });

  it("S12: flapping does not thrash", () => {
    for (const onMs of [50, 500, 5000]) {
      const sim = new Simulation(MACHINE, [worker("f", flapping(onMs, 300))]).run(60_000);
      expect(sim.tally("f").starts).toBeLessThanOrEqual(2);
    }
  });

  it("S4, S6: `min` is there before the first call and after the last", () => {
    const sim = new Simulation(MACHINE, [waiter("f", constant(0), { min: 3 })]).run(100);
    expect(sim.instances("f")).toBe(3);
    const busy = new Simulation(MACHINE, [worker("f", until(2000, constant(300)), { min: 1, idleMs: 500 })]).run(5000);
    expect(busy.instances("f")).toBe(1);
  });
});

describe("several functions under a small budget", () => {
  it("S8: a flash crowd of one brings another that comes later its fair share", () => {
    const functions = [
      waiter("crowd", constant(1500), { ioMs: 100, max: 8 }),
      waiter("late", from(5000, constant(1500)), { ioMs: 100, max: 8 }),
    ];
    const sim = new Simulation(
      small(6),
      functions.map((each) => ({ ...each, concurrency: 16 })),
    );
    sim.run(5000);
    expect(sim.instances("crowd")).toBe(6);
    sim.run(10_000);
    expect([sim.instances("crowd"), sim.instances("late")]).toEqual([3, 3]);
    const before = { crowd: sim.tally("crowd").done, late: sim.tally("late").done };
    sim.run(20_000);
    const share = (sim.tally("late").done - before.late) / (sim.tally("crowd").done - before.crowd);
    expect(share).toBeGreaterThan(0.9);
    expect(share).toBeLessThan(1.1);
  });

  it("S8, S11: a hot function that fills the cores does not keep a small one out", () => {
    const functions = [worker("hot", constant(800), { max: 8 }), waiter("small", from(3000, constant(20)), { idleMs: 500 })];
    const sim = new Simulation(small(3), functions).run(30_000);
    const { arrived, done, refused } = sim.tally("small");
    expect(refused).toBe(0);
    expect(done).toBeGreaterThan(arrived - 20);
    expect(sim.tally("small").longestWaitMs).toBeLessThan(2000);
  });

  it("S13: two functions and one place: they take turns, each gets half, and starts are bounded", () => {
    const sim = new Simulation(small(1), [waiter("f", constant(500)), waiter("g", constant(500))]).run(60_000);
    const [f, g] = [sim.tally("f"), sim.tally("g")];
    expect(f.done / g.done).toBeGreaterThan(0.7);
    expect(f.done / g.done).toBeLessThan(1.4);
    // A turn is at least two seconds.
    expect(f.starts + g.starts).toBeLessThanOrEqual(31);
    expect(f.longestWaitMs).toBeLessThan(10_000);
  });

  it("S12: functions that flap against each other in one place start at most once a second", () => {
    const turn =
      (mine: number) =>
      (nowMs: number): number =>
        Math.floor(nowMs / 100) % 3 === mine ? 50 : 0;
    const sim = new Simulation(
      small(1),
      [0, 1, 2].map((mine) => waiter(`f${mine}`, turn(mine))),
    ).run(60_000);
    const starts = [0, 1, 2].reduce((sum, mine) => sum + sim.tally(`f${mine}`).starts, 0);
    expect(starts).toBeLessThanOrEqual(60);
    for (const mine of [0, 1, 2]) expect(sim.tally(`f${mine}`).refused).toBe(0);
  });

  it("S14: a large function gets its place among many small ones", () => {
    const functions = [
      ...["a", "b", "c"].map((name) => waiter(name, constant(500), { ioMs: 100, concurrency: 16 })),
      waiter("large", from(2000, constant(10)), { memoryBytes: 300 }),
    ];
    const sim = new Simulation(small(5), functions).run(30_000);
    expect(sim.tally("large").refused).toBe(0);
    expect(sim.tally("large").done).toBeGreaterThan(100);
    for (const name of ["a", "b", "c"]) expect(sim.tally(name).done).toBeGreaterThan(1000);
  });

  it("S7: one that is larger than the whole budget runs, alone, in turns", () => {
    const sim = new Simulation(small(2), [waiter("small", constant(100)), waiter("larger", constant(100), { memoryBytes: 500 })]).run(
      40_000,
    );
    expect(sim.tally("small").done).toBeGreaterThan(1000);
    expect(sim.tally("larger").done).toBeGreaterThan(1000);
  });
});

describe("whatever the load", () => {
  const anyProfile = fc.record({
    cpuMs: fc.constantFrom(0.1, 1, 5, 40, 400),
    ioMs: fc.constantFrom(0, 5, 50, 500),
    concurrency: fc.constantFrom(1, 4, 16, 100),
    memoryBytes: fc.constantFrom(50, 100, 200, 400),
    min: fc.constantFrom(0, 0, 0, 1),
    max: fc.integer({ min: 1, max: 6 }),
    idleMs: fc.constantFrom(0, 200, 2000),
    // Calls by the second, each for as long as the walk says.
    walk: fc.array(fc.record({ forMs: fc.integer({ min: 50, max: 3000 }), perSecond: fc.constantFrom(0, 1, 20, 200, 1000) }), {
      minLength: 1,
      maxLength: 6,
    }),
  });

  it("S3, S5, S7, S8, S11, S13, S16: hold in a random walk of loads, and nobody starves", () => {
    fc.assert(
      fc.property(
        fc.array(anyProfile, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 4, max: 12 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(),
        (profiles, places, cores, seed) => {
          const functions = profiles.map(({ walk, ...each }, i) => ({ ...each, name: `f${i}`, load: until(8000, walking(walk)) }));
          // What has sixteen such calls in its loop cannot go before many seconds have passed: others may have to wait for too long.
          const blocked = functions.some(({ cpuMs }) => cpuMs >= 400);
          const kept = functions.reduce((sum, { min, memoryBytes }) => sum + min * memoryBytes, 0);
          // What is kept for `min` is nobody else's; a budget that holds no more than that lets nothing else run.
          const machine = { cores, budgetBytes: kept + places * 100, seed };
          const sim = new Simulation(machine, functions).run(8000);
          // Longer than anything may wait, run and stay.
          sim.run(8000 + 10_000 + 40_000 + 3000);
          for (const { name, min, max } of functions) {
            const { arrived, done, refused } = sim.tally(name);
            if (refused > 0 && !blocked) expect(done).toBeGreaterThan(0);
            expect(done + refused).toBe(arrived);
            expect(sim.instances(name)).toBe(Math.min(min, max));
          }
        },
      ),
      { numRuns: Number(process.env["MILLRACE_SCALE_RUNS"] ?? 60) },
    );
  }, 120_000);
});

function walking(walk: readonly { readonly forMs: number; readonly perSecond: number }[]): Profile["load"] {
  const turnMs = walk.reduce((sum, { forMs }) => sum + forMs, 0);
  return (nowMs) => {
    let leftMs = nowMs % turnMs;
    for (const { forMs, perSecond } of walk) if ((leftMs -= forMs) < 0) return perSecond;
    return 0;
  };
}
