import { describe, expect, it } from "vitest";
import type { Flow } from "../../sdk/flow.ts";
import { Command } from "./command.ts";
import { StepHabits } from "./step-habits.ts";
import { entry, HEAD, PATIENTLY, Rig, type RigOptions } from "../testing-support/flow-rig.ts";

describe("R10: a step after which runs have ended before", () => {
  const habits = new StepHabits();
  const handler =
    (more: boolean) =>
    async (flow: Flow): Promise<unknown> => {
      const one = await flow.step("one", () => "one");
      const at = flow.now().getTime();
      return more ? [one, at, await flow.step("two", () => "two")] : one;
    };

  /** Up to where the node has said nothing. */
  async function held(more: boolean, options: RigOptions = {}): Promise<Rig> {
    await new Rig(handler(false), { habits }).settled();
    return await new Rig(handler(more), { habits, keeps: false, ...options }).settled();
  }

  it("goes to the node together with the end", async () => {
    const rig = await held(false);
    expect(rig.said).toEqual(['done step one#1 "one"']);
    expect(rig.end).toEqual({ state: "done" });
    expect(rig.unkept).toHaveLength(1);
  });

  it("when the handler goes on, nothing begins before the commit, and the time is the journal's", async () => {
    const rig = await held(true);
    expect(rig.said).toEqual(['done step one#1 "one"']);
    expect(rig.end).toBeNull();
    rig.keeps = true;
    rig.unkept[0]?.();
    await rig.settled();
    expect(rig.said).toEqual(['done step one#1 "one"', 'done step two#1 "two"']);
    const [one, at, two] = rig.result as [string, number, string];
    expect([one, two]).toEqual(["one", "two"]);
    expect(at).toBeGreaterThanOrEqual(HEAD.nowMs);
    const replayed = await new Rig(handler(true), { journal: [entry(1, "step", "one", '"one"', { atMs: at })] }).settled();
    expect(replayed.result).toEqual([one, at, two]);
  });

  it("what else is committed is heard when the step is known to be", async () => {
    const rig = await held(true);
    rig.run.entries([entry(2, "run", "cancel", JSON.stringify({ reason: "no", rollback: false }))], false);
    await rig.settled();
    expect(rig.end).toBeNull();
    rig.keeps = true;
    rig.unkept[0]?.();
    await rig.settled();
    expect(rig.said).toEqual(['done step one#1 "one"', 'done step two#1 "two"']);
    expect(rig.end).toEqual({ state: "cancelled" });
  });

  it("one that has read waits for its commit, and so does a failure", async () => {
    expect((await held(false, { hasRead: true })).end).toBeNull();
    const rig = new Rig(
      async (flow) => {
        await flow.step("one", () => 1);
        throw new Error("over");
      },
      { habits, keeps: false },
    );
    await rig.settled();
    expect(rig.end).toBeNull();
    rig.unkept[0]?.();
    expect((await rig.settled()).end).toEqual({ state: "failed" });
  });

  it("what was begun and not awaited begins, and is given up as always", async () => {
    const loose = (flow: Flow): unknown => flow.step("one", () => 1).then(() => void flow.step("loose", () => "loose"));
    const rig = new Rig(loose, { habits, keeps: false });
    await rig.settled();
    rig.keeps = true;
    rig.unkept[0]?.();
    await rig.settled();
    expect(rig.said).toEqual(["done step one#1 1", 'done step loose#1 "loose"']);
    expect(rig.end).toEqual({ state: "done" });
  });
});

describe("R11: in a process of which nothing has been seen", () => {
  const AHEAD = { head: { ahead: "steps" }, keeps: false } as const;
  const three = async (flow: Flow): Promise<unknown> => {
    const made: unknown[] = [];
    for (const name of ["one", "two", "three"]) made.push(await flow.step(name, () => name));
    return made;
  };
  const THREE = ["one", "two", "three"].map((name) => `done step ${name}#1 "${name}"`);

  it("steps go to the node together with the end, each saying which it follows", async () => {
    const rig = await new Rig(three, AHEAD).settled();
    expect(rig.said).toEqual(THREE);
    expect(rig.result).toEqual(["one", "two", "three"]);
    const [one, two, last] = rig.heads;
    expect(one).toMatchObject({ seen: 0, step: 1 });
    expect(two).toMatchObject({ behind: 1, step: 2 });
    expect(last).toMatchObject({ behind: 2 });
    const times = rig.heads.map(({ atMs }) => atMs as number);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it("the first says what the handler had heard last", async () => {
    const journal = [entry(7, "step", "one", '"one"')];
    const rig = await new Rig(three, { ...AHEAD, journal }).settled();
    expect(rig.heads).toMatchObject([
      { name: "two", seen: 7 },
      { name: "three", behind: 1 },
    ]);
  });

  it("nothing but a step begins before all of them are committed", async () => {
    const rig = await new Rig(async (flow) => {
      await flow.step("one", () => 1);
      await flow.step("two", () => 2);
      await flow.sleep("nap", 5);
    }, AHEAD).settled();
    expect(rig.said).toEqual(["done step one#1 1", "done step two#1 2"]);
    rig.unkept[0]?.();
    await rig.settled();
    expect(rig.said).toHaveLength(2);
    expect(rig.end).toBeNull();
    rig.unkept[1]?.();
    await rig.settled();
    expect(rig.said).toEqual(["done step one#1 1", "done step two#1 2", "open sleep nap#1"]);
    expect(rig.end).toEqual({ reason: "sleeps", seen: 2 });
  });

  it("steps side by side begin when all before them is committed", async () => {
    const rig = await new Rig(async (flow) => {
      await flow.step("one", () => 1);
      return await Promise.all([flow.step("left", () => 2), flow.step("right", () => 3)]);
    }, AHEAD).settled();
    expect(rig.said).toEqual(["done step one#1 1"]);
    rig.keeps = true;
    rig.unkept[0]?.();
    await rig.settled();
    expect(rig.result).toEqual([2, 3]);
  });

  it("an attempt that fails is told when all before it is committed, and what follows it goes on from there", async () => {
    let tries = 0;
    const rig = await new Rig(async (flow) => {
      await flow.step("one", () => 1);
      return await flow.step("bad", () => (++tries === 1 ? Promise.reject(new Error("once")) : tries));
    }, AHEAD).settled();
    expect(rig.said).toEqual(["done step one#1 1"]);
    rig.keeps = true;
    rig.unkept[0]?.();
    await rig.settled();
    expect(rig.said[1]).toMatch(/^attempt step bad#1/);
    expect(tries).toBe(1);
    expect(rig.end).toMatchObject({ reason: "sleeps" });
  });

  it("a step that has read is told, and followed, when all before it is committed", async () => {
    const rig = await new Rig(three, { ...AHEAD, hasRead: true }).settled();
    expect(rig.said).toEqual(THREE.slice(0, 1));
    expect(rig.heads[0]).not.toHaveProperty("atMs");
  });

  it("what a step reads is asked for when all before it is committed", async () => {
    const order: string[] = [];
    const rig: Rig = new Rig(async (flow) => {
      await flow.step("one", () => 1);
      return await flow.step(
        "reads",
        () =>
          new Promise((resolve) => {
            rig.run.whenCommitted(() => {
              order.push("read");
              resolve("read");
            });
          }),
      );
    }, AHEAD);
    await rig.settled();
    expect(order).toEqual([]);
    rig.unkept[0]?.();
    await rig.settled();
    expect(order).toEqual(["read"]);
    expect(rig.result).toBe("read");
  });

  it("a failure, and a result that cannot be kept, wait for the commits", async () => {
    for (const end of [() => Promise.reject(new Error("over")), () => Promise.resolve(() => {})]) {
      const rig = await new Rig(async (flow) => {
        await flow.step("one", () => 1, { rollback: () => {} });
        return await end();
      }, AHEAD).settled();
      expect(rig.end).toBeNull();
      rig.keeps = true;
      rig.unkept[0]?.();
      await rig.settled();
      expect(rig.said).toEqual(["done step one#1 1", expect.stringMatching(/^done rollback one#1/)]);
      expect(rig.end).toEqual({ state: "failed" });
    }
  });

  it("what has reached out ends it: steps wait for the ones before, and so does the end", async () => {
    const rig = new Rig(three, AHEAD);
    rig.outside.note();
    await rig.settled();
    expect(rig.said).toEqual(THREE.slice(0, 1));
    const between: Rig = new Rig(async (flow) => {
      await flow.step("one", () => "one");
      await flow.step("two", () => between.outside.note());
      return await flow.step("three", () => "three");
    }, AHEAD);
    await between.settled();
    expect(between.said).toEqual(THREE.slice(0, 1));
    expect(between.end).toBeNull();
  });

  it("a step that holds something back ends when that has gone, behind all the commits", async () => {
    const reached: string[] = [];
    const rig: Rig = new Rig(async (flow) => {
      await flow.step("one", () => 1);
      await flow.step("calls", () => {
        rig.outside.reach(1, () => ({ call: 1, go: () => reached.push("gone"), refuse: () => reached.push("refused") }));
      });
      return "over";
    }, AHEAD);
    await rig.settled();
    expect(reached).toEqual([]);
    expect(rig.end).toBeNull();
    expect(rig.said).toEqual(["done step one#1 1"]);
    rig.keeps = true;
    rig.unkept[0]?.();
    await rig.settled();
    expect(reached).toEqual(["gone"]);
    expect(rig.result).toBe("over");
    expect(rig.said).toHaveLength(2);
  });

  it("given up, what it holds back is refused, also what comes later", async () => {
    const reached: string[] = [];
    const reach = (rig: Rig, name: string): boolean =>
      rig.outside.reach(1, () => ({ call: 1, go: () => reached.push(`${name} gone`), refuse: () => reached.push(`${name} refused`) }));
    const rig: Rig = new Rig(async (flow) => {
      await flow.step("one", () => 1);
      await flow.step("calls", () => new Promise(() => reach(rig, "call")));
    }, AHEAD);
    await rig.settled();
    rig.run.abort(new Error("dropped"));
    expect(reached).toEqual(["call refused"]);
    expect(reach(rig, "late")).toBe(false);
    expect(reached).toEqual(["call refused", "late refused"]);
  });

  it("what comes before the node has heard of a step is heard in the order of the journal: the run is replayed", async () => {
    const cancel = entry(1, "run", "cancel", JSON.stringify({ reason: "no", rollback: false }));
    const rig: Rig = new Rig(async (flow) => {
      await flow.step("one", () => 1);
      await flow.step("two", () => rig.run.entries([cancel], false));
      await flow.step("three", () => 3);
    }, AHEAD);
    await rig.settled();
    expect(rig.said).toEqual([]);
    expect(rig.end).toEqual({ reason: "waits", seen: 0 });
  });

  it("a step that took long waits the next time, for what it would hold up is on disk by then", async () => {
    const habits = new StepHabits();
    const slow = new Command("step", "slow", 1, () => undefined);
    const handler = (flow: Flow): unknown => flow.step("one", () => 1).then(() => flow.step("slow", () => 2));
    habits.took(slow, 20);
    const waits = await new Rig(handler, { ...AHEAD, habits }).settled();
    expect(waits.said).toEqual(["done step one#1 1"]);
    waits.unkept[0]?.();
    await waits.settled();
    expect(waits.said).toEqual(["done step one#1 1", "done step slow#1 2"]);
    habits.took(slow, 1);
    const goes = await new Rig(handler, { ...AHEAD, habits }).settled();
    expect(goes.said).toHaveLength(2);
  });

  it("no more than 1 MiB is ahead", async () => {
    const rig = new Rig(async (flow) => {
      for (let i = 0; i < 10; i++) await flow.step(`step ${i}`, () => "x".repeat(300_000));
    }, AHEAD);
    await expect.poll(() => rig.said.length, PATIENTLY).toBe(4);
    await rig.settled();
    expect(rig.said).toHaveLength(4);
  });

  it("no more than 64 are ahead", async () => {
    const rig = new Rig(async (flow) => {
      for (let i = 0; i < 200; i++) await flow.step(`step ${i}`, () => i);
      return "over";
    }, AHEAD);
    await expect.poll(() => rig.said.length, PATIENTLY).toBe(64);
    await rig.settled();
    expect(rig.said).toHaveLength(64);
    rig.keeps = true;
    for (const kept of rig.unkept) kept();
    await expect.poll(() => rig.result, PATIENTLY).toBe("over");
    expect(rig.said).toHaveLength(200);
  });
});

describe("R12: a run whose beginning is not committed", () => {
  const EARLY = { head: { ahead: "steps", begun: false }, keeps: false } as const;

  it("is over without a word if it only steps", async () => {
    const rig = await new Rig((flow) => flow.step("one", () => 1), EARLY).settled();
    expect(rig.said).toEqual(["done step one#1 1"]);
    expect(rig.end).toEqual({ state: "done" });
  });

  it("asks for it where it can go no further, and goes on when it has it", async () => {
    const rig = await new Rig(async (flow) => {
      await flow.step("one", () => 1);
      await flow.sleep("nap", 5);
    }, EARLY).settled();
    expect(rig.said).toEqual(["done step one#1 1", "begin"]);
    rig.unkept[0]?.();
    await rig.settled();
    expect(rig.said).toHaveLength(2);
    rig.run.begun();
    await rig.settled();
    expect(rig.said).toEqual(["done step one#1 1", "begin", "open sleep nap#1"]);
    expect(rig.end).toEqual({ reason: "sleeps", seen: 1 });
  });

  it("asks for it before anything else where something has reached out", async () => {
    let begun = 0;
    const rig = new Rig((flow) => flow.step("one", () => ++begun), EARLY);
    const seen = new Rig((flow) => flow.step("one", () => ++begun), { ...EARLY, reached: true });
    await rig.settled();
    await seen.settled();
    expect([rig.said, seen.said, begun]).toEqual([["done step one#1 1"], ["begin"], 1]);
    seen.keeps = true;
    seen.run.begun();
    await seen.settled();
    expect(seen.result).toBe(2);
  });

  it("fails, reads and waits elsewhere only when it has begun", async () => {
    for (const handler of [
      () => Promise.reject(new Error("over")),
      (flow: Flow) => flow.step("bad", () => Promise.reject(new Error("no"))),
      () => new Promise(() => {}),
      (flow: Flow) => flow.step("long", () => new Promise(() => {})),
    ]) {
      const rig = await new Rig(handler, EARLY).settled();
      expect(rig.said).toEqual(["begin"]);
      expect(rig.end).toBeNull();
    }
  });
});

it("a check stops where the journal does, and begins nothing", async () => {
  const rig = await new Rig((flow) => flow.step("one", () => 1), { head: { check: true } }).settled();
  expect(rig.end).toMatchObject({ reason: "fits" });
  expect(rig.said).toEqual([]);
});
