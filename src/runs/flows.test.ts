import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testApp, type TestApp } from "../testing/index.ts";

const APP = new URL("testing-support/app", import.meta.url);

let app: TestApp;
beforeAll(async () => {
  app = await testApp(APP);
}, 60_000);
afterAll(() => app.stop());

async function phases(id: string): Promise<string[]> {
  return (await app.run(id).journal()).map(({ verb, name, number, phase }) => `${verb} ${name}#${number} ${phase}`);
}

describe("steps and time", () => {
  it("N7: a month of daily steps, each done once, in a moment of real time", async () => {
    const run = await app.start("month", { id: "m" });
    await app.advance("31d");
    const result = await run.result<{ first: number; id: string; at: string }>();
    expect(result).toMatchObject({ first: 1, id: "m" });
    expect(await app.kv.get("days")).toBe(30);
    expect(await phases(run.id)).toHaveLength(1 + 30 * 3);
  });

  it("N4: values that structured clone carries come back as they were, live and replayed", async () => {
    const run = await app.start("values", null);
    await app.advance("2h");
    expect(await run.result()).toEqual([true, true, true, true, true, "outer"]);
  });

  it("N4: a result of more than 1 MiB fails its step and says what to do", async () => {
    const run = await app.start("tooLarge", null);
    await expect(run.result()).rejects.toMatchObject({
      name: "StepError",
      message: expect.stringContaining('the result of step "big" #1 is too large'),
    });
  });

  it("N1: a step inside of a step is refused by name", async () => {
    const run = await app.start("nested", null);
    await expect(run.result()).rejects.toThrow(/flow\.sleep inside of step "outer" #1/);
  });

  it("N11: a StepError names the step, its attempts and the last error", async () => {
    const run = await app.start("caught", null);
    expect(await run.result()).toEqual(["bad", 1, "RangeError"]);
  });

  it("N2, N5: races, results and draws are the same whenever the handler is run again", async () => {
    const run = await app.start("ordered", null);
    await app.advance("3h");
    const { first, all, again, drawn } = await run.result<{ first: string; all: string[]; again: string; drawn: [number, string] }>();
    expect({ first, all, again }).toEqual({ first: "a", all: ["a", "b", "c"], again: "short" });
    expect(drawn[0]).toBeGreaterThanOrEqual(0);
    expect(drawn[1]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("N6: an instance that is killed after a step's commit repeats nothing of it", async () => {
    app.crashAfter("month", "begin");
    const before = await app.kv.get<number>("begun");
    const run = await app.start("month", { id: "again" });
    await app.settled();
    expect(await app.kv.get("begun")).toBe((before ?? 0) + 1);
    expect(await run.state()).toBe("sleeping");
    await run.cancel();
  });

  it("R9: a handler that waits for something that is no step is told so in its log", async () => {
    const run = await app.start("stray", null);
    expect(await run.result()).toBe(1);
    const lines = await app.logs("stray");
    expect(lines.map(({ text }) => text).join("\n")).toContain("waited for something that is no step");
  });
});

describe("waits and callbacks", () => {
  it("N8: an event that fits ends the wait, others do not", async () => {
    const run = await app.start("waits", { parcel: "p1" });
    await app.settled();
    expect(await run.state()).toBe("waiting");
    await app.emit("parcel.arrived", { parcel: "other", weight: 3 });
    await app.emit("parcel.arrived", { parcel: "p1", weight: 4 });
    expect(await run.result()).toBe(4);
  });

  it("N8: an answer that came before the wait is not lost", async () => {
    expect(await (await app.start("waits", { parcel: "quick" })).result()).toBe(1);
  });

  it("N8: `where` must match as well", async () => {
    const run = await app.start("waits", { parcel: "p2", heavy: true });
    await app.emit("parcel.arrived", { parcel: "p2", weight: 4 });
    expect(await run.state()).toBe("waiting");
    await app.emit("parcel.arrived", { parcel: "p2", weight: 40 });
    expect(await run.result()).toBe(40);
  });

  it("N8: after the timeout the answer is null", async () => {
    const run = await app.start("waits", { parcel: "never" });
    await app.advance("8d");
    expect(await run.result()).toBeNull();
  });

  it("N9: a callback is completed once; what comes later is told so", async () => {
    const run = await app.start("confirm", null);
    await app.settled();
    const url = (await app.kv.get<string>("url")) ?? "";
    expect((await fetch(url)).status).toBe(405);
    await app.complete(url, { yes: true });
    await app.complete(url, { yes: true });
    await expect(app.complete(url, { yes: false })).rejects.toThrow(/409/);
    expect(await run.result()).toEqual({ yes: true });
  });

  it("N9: a form is an answer, and what curl sends as one is JSON where it looks like it", async () => {
    for (const [body, answer] of [
      ["yes=1&by=ada", { yes: "1", by: "ada" }],
      [' {"yes":true}', { yes: true }],
    ] as const) {
      const run = await app.start("confirm", null);
      await app.settled();
      const url = (await app.kv.get<string>("url")) ?? "";
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      expect((await fetch(url, { method: "POST", body, headers })).status).toBe(200);
      expect(await run.result()).toEqual(answer);
    }
  });

  it("N9: a callback that is failed throws, one that times out is null, and the week passes in a moment", async () => {
    const failed = await app.start("confirm", null);
    await app.settled();
    await app.fail((await app.kv.get<string>("url")) ?? "", "declined");
    await expect(failed.result()).rejects.toThrow("declined");
    const silent = await app.start("confirm", null);
    await app.advance("8d");
    expect(await silent.result()).toBeNull();
    expect(await app.kv.get("reminders")).toBe(1);
  });

  it("N8: a signal ends a wait by its name, the next one too", async () => {
    const run = await app.start("waits", { parcel: "signalled" });
    await app.settled();
    await run.signal("arrived", { weight: 9 });
    expect(await run.result()).toBe(9);
  });
});

describe("ends", () => {
  it("N12: a run that fails undoes its steps, last first", async () => {
    const run = await app.start("saga", { fails: "charge" });
    await app.advance("5m");
    await expect(run.result()).rejects.toMatchObject({ name: "StepError", step: "charge", attempts: 2 });
    expect(((await app.kv.get<[string, number][]>("undone")) ?? []).map(([name]) => name)).toEqual(["three", "two", "one"]);
  });

  it("N12: a rollback that fails for good leaves the run stuck; a person goes on with it", async () => {
    const run = await app.start("saga", { fails: "undo two" });
    await app.advance("1h");
    expect(await run.state()).toBe("stuck");
    await run.resume({ result: "by hand" });
    await app.advance("1h");
    expect(await run.state()).toBe("failed");
    expect((await phases(run.id)).filter((entry) => entry.startsWith("rollback") && entry.endsWith("done"))).toEqual([
      "rollback three#1 done",
      "rollback two#1 done",
      "rollback one#1 done",
    ]);
  });

  it("N13: cancelling throws at the present await and rolls back; without rollback it does not", async () => {
    const one = await app.start("saga", { fails: "sleeps" });
    await app.settled();
    await one.cancel();
    expect(await one.state()).toBe("cancelled");
    expect((await phases(one.id)).filter((entry) => entry.startsWith("rollback"))).toHaveLength(3);
    const other = await app.start("saga", { fails: "sleeps" });
    await app.settled();
    await other.cancel({ rollback: false });
    expect(await other.state()).toBe("cancelled");
    expect((await phases(other.id)).filter((entry) => entry.startsWith("rollback"))).toEqual([]);
  });

  it("N13: an event of cancelOn cancels the run whose value it has", async () => {
    await app.emit("order.placed", { order: "o1" });
    await app.emit("order.placed", { order: "o2" });
    await app.settled();
    await app.emit("order.cancelled", { id: "o1" });
    await app.settled();
    const [one, two] = await app.runs("stoppable");
    expect([await one?.state(), await two?.state()]).toEqual(["cancelled", "sleeping"]);
    expect(await app.kv.get("unbooked")).toBe(1);
    await two?.cancel({ rollback: false });
  });

  it("N11: a step that pauses the run is resumed by a person, or given its result", async () => {
    const one = await app.start("pauses", null);
    const two = await app.start("pauses", null);
    await app.advance("1m");
    expect([await one.state(), await two.state()]).toEqual(["paused", "paused"]);
    await two.resume({ result: "given" });
    expect(await two.result()).toBe("given");
    await app.kv.set("open", true);
    await one.resume();
    expect(await one.result()).toBe("opened");
    await app.kv.set("open", false);
  });

  it("N10: a child's result and error come to its caller, a function's too", async () => {
    expect(await (await app.start("parent", { child: "well" })).result()).toBe("kid well");
    expect(await (await app.start("parent", { child: "fails" })).result()).toBe("kid failed: bad kid");
    expect(await (await app.start("parent", { child: "sum" })).result()).toBe(3);
  });

  it("N10, N13: cancelling and the deadline go down to children", async () => {
    const run = await app.start("parent", { child: "sleeps" });
    await app.settled();
    expect(await app.run("kid-sleeps").state()).toBe("sleeping");
    await run.cancel();
    expect(await app.run("kid-sleeps").state()).toBe("cancelled");
    const late = await app.start("parent", { child: "sleeps again".slice(0, 6) });
    await app.advance("3d");
    expect(await late.state()).toBe("failed");
  });

  it("N15: the same id is the same run, and its result", async () => {
    const one = await app.start("caught", null, { id: "same" });
    const two = await app.start("caught", null, { id: "same" });
    expect(one.id).toBe(two.id);
    expect(await two.result()).toEqual(await one.result());
    expect((await app.runs("caught")).filter(({ id }) => id === "same")).toHaveLength(1);
  });

  it("N15: an Idempotency-Key stands for one request", async () => {
    const send = async (body: string): Promise<unknown[]> => {
      const response = await app.request("/echoed", { method: "POST", body, headers: { "idempotency-key": "k-1" } });
      return [response.status, response.headers.get("idempotent-replayed"), await response.text()];
    };
    expect(await send("a")).toEqual([200, null, '{"text":"a"}']);
    expect(await send("a")).toEqual([200, "true", '{"text":"a"}']);
    expect(await send("b")).toEqual([422, null, expect.stringContaining("idempotency_reused")]);
  });

  it("N3: a map's items are numbered steps; what fails is tolerated up to the number given", async () => {
    expect(await (await app.start("mapped", { broken: 2, tolerate: 2 })).result()).toBe(6);
    await expect((await app.start("mapped", { broken: 2, tolerate: 1 })).result()).rejects.toThrow(/item/);
  });

  it("N21: runs of one key go one after the other, whole", async () => {
    await app.emit("keyed", { key: "k" });
    await app.emit("keyed", { key: "k" });
    await app.emit("keyed", { key: "other" });
    await app.advance("61m");
    expect(await app.kv.get("keyed")).toBe(2);
    await app.advance("61m");
    expect(await app.kv.get("keyed")).toBe(3);
  });
});

describe("forks", () => {
  it("N9, N20: a fork's open callback has an address of its own, which completes it", async () => {
    const run = await app.start("confirm", null);
    await app.settled();
    const first = (await app.kv.get<string>("url")) ?? "";
    const fork = await app.fork(run.id, "send");
    await app.settled();
    const second = (await app.kv.get<string>("url")) ?? "";
    expect(second).not.toBe(first);
    await app.complete(second, { yes: true });
    expect(await fork.result()).toEqual({ yes: true });
    expect(await run.state()).toBe("waiting");
    await run.cancel();
  });
});

describe("mocks", () => {
  it("N1: a test plays the part of a step, its failures and retries too", { timeout: 60_000 }, async () => {
    let asked = 0;
    await using mocked = await testApp(APP, {
      steps: {
        saga: {
          charge: ({ attempt }) => {
            asked++;
            if (attempt === 1) throw new Error("once");
            return "paid";
          },
        },
      },
    });
    const run = await mocked.start("saga", { fails: "nothing" });
    await mocked.advance("5m");
    await run.result();
    expect(asked).toBe(2);
  });
});
