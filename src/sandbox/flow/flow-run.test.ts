import { describe, expect, it } from "vitest";
import type { Entry } from "../../protocol/journal.ts";
import type { RunHead } from "../../protocol/messages.ts";
import { fromValueText } from "../../protocol/value-text.ts";
import type { Flow } from "../../sdk/flow.ts";
import { Outside } from "../outside.ts";
import { FlowRun } from "./flow-run.ts";
import { FlowVerbs } from "./flow-verbs.ts";
import { StepHabits } from "./step-habits.ts";
import { Targets } from "./targets.ts";

type Head = Readonly<Record<string, unknown>>;

/** A loaded machine is no fault. */
const PATIENTLY = { timeout: 20_000 };

const POLICY = { attempts: 2, backoff: "fixed", baseMs: 5, factor: 1, maxMs: 5, jitter: "none", onExhausted: "throw" } as const;
const HEAD: RunHead = {
  id: "run-1",
  seed: "seed",
  startedMs: 1000,
  nowMs: 2000,
  http: false,
  policy: POLICY,
  timeoutMs: 1000,
  checkSchema: false,
  check: false,
  begun: true,
  ahead: "end",
};

interface RigOptions {
  readonly journal?: readonly Entry[];
  readonly head?: Partial<RunHead>;
  readonly habits?: StepHabits;
  readonly hasRead?: boolean;
  readonly keeps?: boolean;
}

/** A run over a scripted node: what the run says, and the node's answers. */
class Rig {
  readonly run: FlowRun;
  readonly outside = new Outside();
  readonly said: string[] = [];
  readonly warnings: string[] = [];
  /** What the node has not said yet. */
  readonly unkept: (() => void)[] = [];
  end: Head | null = null;
  result: unknown;
  private lastPos: number;

  /** Whether the node says what it has committed. */
  keeps: boolean;
  private readonly hasRead: boolean;

  constructor(
    handler: (flow: Flow) => unknown,
    { journal = [], head = {}, habits = new StepHabits(), hasRead = false, keeps = true }: RigOptions = {},
  ) {
    this.hasRead = hasRead;
    this.keeps = keeps;
    this.lastPos = journal.at(-1)?.pos ?? 0;
    this.run = new FlowRun(
      { ...HEAD, ...head },
      {
        open: (head) => this.said.push(`open ${said(head)}`),
        step: (head, _effects, body) => this.step(head as Head, body),
        park: (head) => (this.end = head as Head),
        finish: (head, body) => {
          this.end = head as Head;
          this.result = fromValueText(body);
        },
        extend: () => {},
        begin: () => this.said.push("begin"),
        warn: (text) => this.warnings.push(text),
        transaction: (work) => ({
          run: () => (work as (tx: unknown) => unknown)({}),
          effectsJson: null,
          hasRead: this.hasRead,
          abort: () => {},
          close: () => {},
        }),
        soon: (turn) => void setImmediate(turn),
        outside: this.outside,
        callNumber: 1,
      },
      habits,
      (run) => handler(verbsOf(run) as unknown as Flow),
    );
    this.run.entries(journal, true);
  }

  /** Everything that is ready to run has run. */
  async settled(): Promise<this> {
    for (let turns = 0; turns < 40; turns++)
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    return this;
  }

  private step(head: Head, body: string): void {
    this.said.push(`${String(head["phase"])} ${said(head)} ${body.slice(0, 20)}`);
    if (head["phase"] === "attempt") return;
    const pos = ++this.lastPos;
    const kept = (): void => this.run.kept(head["step"] as number, pos, (head["atMs"] as number | undefined) ?? 3000 + pos);
    if (this.keeps) setImmediate(kept);
    else this.unkept.push(kept);
  }
}

function verbsOf(run: FlowRun): FlowVerbs {
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const targets = new Targets({}, () => Promise.resolve({}));
  return new FlowVerbs(run, { attempt: 1, params: {}, env: {}, log, targets, stepAround: () => null });
}

function said(head: object): string {
  const { verb, name, number } = head as { verb: string; name: string; number: number };
  return `${verb} ${name}#${number}`;
}

function entry(pos: number, verb: Entry["verb"], name: string, value: string | null, more: Partial<Entry> = {}): Entry {
  return { pos, verb, name, number: 1, phase: "done", attempt: 1, atMs: 1000 + pos, value, ...more };
}

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

    it("a completion that comes first is heard first: the run is replayed", async () => {
      const rig = await held(true);
      rig.run.entries([entry(1, "run", "cancel", JSON.stringify({ reason: "no", rollback: false }))], false);
      await rig.settled();
      expect(rig.end).toEqual({ reason: "waits", seen: 0 });
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

  it("a check stops where the journal does, and begins nothing", async () => {
    const rig = await new Rig((flow) => flow.step("one", () => 1), { head: { check: true } }).settled();
    expect(rig.end).toMatchObject({ reason: "fits" });
    expect(rig.said).toEqual([]);
  });
});
