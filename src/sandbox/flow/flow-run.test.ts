import { describe, expect, it } from "vitest";
import type { Flow } from "../../sdk/flow.ts";
import { entry, PATIENTLY, Rig } from "../testing-support/flow-rig.ts";

describe("a run of a handler", () => {
  it("R3: a step's result is what the journal keeps of it", async () => {
    class Money {
      readonly amount = 3;
    }
    const rig = await new Rig(async (flow) => (await flow.step("one", () => new Money())) instanceof Money).settled();
    expect(rig.end).toEqual({ state: "done" });
    expect(rig.result).toBe(false);
  });

  it("R2: replayed, nothing begins that the journal has; what it has not begins then", async () => {
    let begun = 0;
    const handler = async (flow: Flow): Promise<unknown> => {
      const one = await flow.step("one", () => ++begun);
      await flow.sleep("nap", 10);
      return [one, await flow.step("two", () => "two")];
    };
    const journal = [
      entry(1, "step", "one", "7"),
      entry(2, "sleep", "nap", '{"dueMs":5}', { phase: "opened" }),
      entry(3, "sleep", "nap", "~"),
    ];
    const rig = await new Rig(handler, { journal }).settled();
    expect(begun).toBe(0);
    expect(rig.said).toEqual(['done step two#1 "two"']);
    expect(rig.result).toEqual([7, "two"]);
    const parked = await new Rig(handler, { journal: journal.slice(0, 2) }).settled();
    expect(parked.said).toEqual([]);
    expect(parked.end).toMatchObject({ reason: "sleeps", seen: 1 });
  });

  it("R1: a race comes out as it came out, whatever came later", async () => {
    const race = async (flow: Flow): Promise<unknown> => {
      const won = await Promise.race([flow.sleep("slow", 1).then(() => "slow"), flow.sleep("quick", 1).then(() => "quick")]);
      await flow.sleep("rest", 1);
      return won;
    };
    const opened = ["slow", "quick"].map((name, i) => entry(i + 1, "sleep", name, "{}", { phase: "opened" }));
    for (const [first = "", second = ""] of [
      ["slow", "quick"],
      ["quick", "slow"],
    ]) {
      const journal = [...opened, entry(3, "sleep", first, "~"), entry(4, "sleep", second, "~"), entry(5, "sleep", "rest", "~")];
      expect((await new Rig(race, { journal }).settled()).result).toBe(first);
    }
  });

  it("R4: code that asks for something else is a mismatch, with the position and what it asks for", async () => {
    const rig = new Rig((flow) => flow.step("uno", () => 1), { journal: [entry(4, "step", "one", "1")] });
    await expect
      .poll(() => rig.end, PATIENTLY)
      .toMatchObject({
        reason: "mismatch",
        mismatch: { pos: 4, recorded: 'step "one" #1', attempted: [{ command: 'step "uno" #1' }] },
      });
  });

  it("R4: a handler that ends before its journal does is a mismatch; one that waits elsewhere is waited for", async () => {
    const early = new Rig(() => "over", { journal: [entry(1, "step", "one", "1")] });
    await expect.poll(() => early.end, PATIENTLY).toMatchObject({ reason: "mismatch", mismatch: { pos: 1, attempted: [] } });
    let goOn = (): void => {};
    const elsewhere = new Rig(
      async (flow) => {
        await new Promise<void>((resolve) => (goOn = resolve));
        return await flow.step("one", () => 2);
      },
      { journal: [entry(1, "step", "one", "1")] },
    );
    await elsewhere.settled();
    expect(elsewhere.end).toBeNull();
    goOn();
    await elsewhere.settled();
    expect(elsewhere.result).toBe(1);
  });

  it("R6: attempts are counted, also those that the journal has; the last one's error is the cause", async () => {
    let tries = 0;
    const handler = (flow: Flow): unknown =>
      flow.step("bad", () => {
        throw new Error(`try ${++tries}`);
      });
    const once = await new Rig(handler).settled();
    expect(once.said).toEqual([expect.stringMatching(/^attempt step bad#1/)]);
    expect(once.end).toMatchObject({ reason: "sleeps" });
    const attempt = entry(1, "step", "bad", JSON.stringify({ error: "null", dueMs: 1 }), { phase: "attempt" });
    const twice = await new Rig(handler, { journal: [attempt] }).settled();
    expect(twice.end).toEqual({ state: "failed" });
    expect(twice.result).toMatchObject({ name: "StepError", attempts: 2, cause: { message: "try 2" } });
  });

  it("R7: finished steps are undone, last first, also those that are replayed", async () => {
    const undone: string[] = [];
    const handler = async (flow: Flow): Promise<void> => {
      for (const name of ["one", "two"]) await flow.step(name, () => name, { rollback: (_tx, result) => undone.push(result) });
      throw new Error("over");
    };
    const rig = await new Rig(handler, { journal: [entry(1, "step", "one", '"first"')] }).settled();
    expect(undone).toEqual(["two", "first"]);
    expect(rig.end).toEqual({ state: "failed" });
    const replayed = [entry(1, "step", "one", '"first"'), entry(2, "step", "two", '"second"'), entry(3, "rollback", "two", "~")];
    await new Rig(handler, { journal: replayed }).settled();
    expect(undone).toEqual(["two", "first", "first"]);
  });

  it("R8: after its end a handler begins nothing more", async () => {
    let late: Promise<unknown> = Promise.resolve();
    const rig = await new Rig((flow) => {
      setImmediate(() => {
        late = flow.step("late", () => 1).catch((error: unknown) => error);
      });
      return "over";
    }).settled();
    expect(rig.result).toBe("over");
    expect(await late).toMatchObject({ code: "effect_after_end" });
  });

  it("R9: what follows a wait for something that is no command is told once", async () => {
    let goOn = (): void => {};
    const rig = new Rig(async (flow) => {
      await new Promise<void>((resolve) => (goOn = resolve));
      await flow.step("one", () => 1);
      return await flow.step("two", () => 2);
    });
    await rig.settled();
    goOn();
    await expect.poll(() => rig.result, PATIENTLY).toBe(2);
    expect(rig.warnings).toEqual([expect.stringContaining('before step "one" #1')]);
  });
});
