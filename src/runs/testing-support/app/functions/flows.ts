import { event, flow, fn, http, StepError } from "millrace";

const parcel = event<{ parcel: string; weight: number }>("parcel.arrived");
const add = async (
  tx: { readonly kv: { get<T>(key: string): Promise<T | undefined>; set(key: string, value: unknown): Promise<void> } },
  key: string,
): Promise<number> => {
  const next = ((await tx.kv.get<number>(key)) ?? 0) + 1;
  await tx.kv.set(key, next);
  return next;
};

export const month = flow({}, async (e: { readonly data: { id: string } }, flow) => {
  const first = await flow.step("begin", (tx) => add(tx, "begun"));
  for (let day = 1; day <= 30; day++) {
    await flow.sleep("a day", "1d");
    await flow.step("day", (tx) => add(tx, "days"));
  }
  return { first, id: e.data.id, at: flow.now().toISOString() };
});

export const values = flow({}, async (_e: { readonly data: null }, flow) => {
  const kept = await flow.step("rich", () => ({
    at: new Date(7),
    map: new Map([["a", 1n]]),
    set: new Set([1]),
    bytes: new Uint8Array([1, 2]),
    error: new TypeError("inner", { cause: new Error("outer") }),
  }));
  await flow.sleep("again", "1h");
  return [
    kept.at instanceof Date,
    kept.map.get("a") === 1n,
    kept.set.has(1),
    kept.bytes instanceof Uint8Array,
    kept.error instanceof TypeError,
    (kept.error.cause as Error).message,
  ];
});

export const tooLarge = flow({}, async (_e: { readonly data: null }, flow) => flow.step("big", () => "x".repeat(1_100_000)));

export const waits = flow({}, async (e: { readonly data: { parcel: string; heavy?: boolean } }, flow) => {
  await flow.step("ask", (tx) => tx.emit("asked", { parcel: e.data.parcel }));
  const got = await flow.waitFor("arrived", parcel, {
    match: { "data.parcel": e.data.parcel },
    ...(e.data.heavy === true ? { where: { data: { weight: [{ numeric: [">", 10] }] } } } : {}),
    timeout: "7d",
  });
  return got === null ? null : got.data.weight;
});

/** Answers at once: before the asker waits. */
export const answers = fn({ on: event<{ parcel: string }>("asked") }, async (e, ctx) => {
  if (e.data.parcel === "quick") await ctx.emit(parcel, { parcel: "quick", weight: 1 });
});

export const confirm = flow({}, async (_e: { readonly data: null }, flow) => {
  const asked = await flow.callback<{ yes: boolean }>("confirm", { timeout: "7d" });
  await flow.step("send", (tx) => tx.kv.set("url", asked.url));
  const first = await Promise.race([asked.result(), flow.sleep("a day", "1d").then(() => "late" as const)]);
  if (first !== "late") return first;
  await flow.step("remind", (tx) => add(tx, "reminders"));
  return await asked.result();
});

export const saga = flow({ retry: { attempts: 2, base: "1m", jitter: "none" } }, async (e: { readonly data: { fails: string } }, flow) => {
  for (const name of ["one", "two", "three"]) {
    await flow.step(name, (tx) => add(tx, name), {
      rollback: async (tx, result) => {
        if (e.data.fails === `undo ${name}`) throw new Error(`cannot undo ${name}`);
        await tx.kv.set("undone", [...((await tx.kv.get<unknown[]>("undone")) ?? []), [name, result]]);
      },
    });
  }
  if (e.data.fails === "sleeps") await flow.sleep("long", "30d");
  await flow.step("charge", () => {
    throw new Error("no money");
  });
});

export const caught = flow({ retry: { attempts: 1 } }, async (_e: { readonly data: null }, flow) => {
  try {
    await flow.step("bad", () => {
      throw new RangeError("inner");
    });
  } catch (error) {
    return error instanceof StepError ? [error.step, error.attempts, (error.cause as Error).name] : "other";
  }
  return "nothing";
});

export const pauses = flow({}, async (_e: { readonly data: null }, flow) => {
  const got = await flow.step("hard", async (tx) => (((await tx.kv.get<boolean>("open")) ?? false) ? "opened" : fail("closed")), {
    retry: { attempts: 2, base: "1s", jitter: "none", onExhausted: "pause" },
  });
  return got;
});

export const parent = flow({ deadline: "2d" }, async (e: { readonly data: { child: string } }, flow) => {
  if (e.data.child === "sum") return await flow.call("sum", sum, { a: 1, b: 2 });
  try {
    return await flow.call("kid", kid, { how: e.data.child }, { id: `kid-${e.data.child}` });
  } catch (error) {
    return error instanceof StepError ? `kid failed: ${(error.cause as Error).message}` : fail("other");
  }
});

export const kid = flow({ retry: { attempts: 1 } }, async (e: { readonly data: { how: string } }, flow) => {
  if (e.data.how === "fails") throw new Error("bad kid");
  if (e.data.how === "sleeps") await flow.sleep("long", "30d");
  return await flow.step("kid", () => `kid ${e.data.how}`, { rollback: (tx) => add(tx, "kid undone") });
});

export const sum = fn({ on: event<{ a: number; b: number }>("sum") }, (e) => e.data.a + e.data.b);

export const mapped = flow({}, async (e: { readonly data: { broken: number; tolerate: number } }, flow) => {
  const results = await flow.map(
    "item",
    [0, 1, 2, 3, 4, 5, 6, 7],
    (tx, item) => (item < e.data.broken ? fail(`item ${item}`) : add(tx, "items")),
    {
      concurrency: 3,
      tolerate: e.data.tolerate,
      retry: { attempts: 1 },
    },
  );
  return results.filter((result) => typeof result === "number").length;
});

export const ordered = flow({}, async (_e: { readonly data: null }, flow) => {
  const steps = ["a", "b", "c"].map((name) => flow.step(name, () => name));
  const first = await Promise.race([...steps, flow.sleep("never", "1h").then(() => "sleep")]);
  const all = await Promise.all(steps);
  await flow.sleep("then", "1h");
  const again = await Promise.race([flow.sleep("short", "1m").then(() => "short"), flow.sleep("long", "2m").then(() => "long")]);
  return { first, all, again, drawn: [flow.random(), flow.uuid()] };
});

export const stray = flow({}, async (_e: { readonly data: null }, flow) => {
  await new Promise((resolve) => {
    setTimeout(resolve, 20);
  });
  return await flow.step("after", () => 1);
});

export const nested = flow({}, async (_e: { readonly data: null }, flow) =>
  flow.step("outer", () => flow.sleep("inner", "1s"), { retry: { attempts: 1 } }),
);

export const keyed = flow({ on: event<{ key: string }>("keyed"), key: "data.key", concurrency: { key: 1 } }, async (_e, flow) => {
  await flow.sleep("hold", "1h");
  return await flow.step("done", (tx) => add(tx, "keyed"));
});

export const stoppable = flow(
  { on: event<{ order: string }>("order.placed"), cancelOn: { event: "order.cancelled", match: { "data.id": "data.order" } } },
  async (_e, flow) => {
    await flow.step("book", (tx) => add(tx, "booked"), { rollback: (tx) => add(tx, "unbooked") });
    await flow.sleep("wait", "10d");
  },
);

function fail(why: string): never {
  throw new Error(why);
}

/** Everything that a run asks of the store, once. */
export const everything = flow(
  { retry: { attempts: 3, base: "1ms", jitter: "none" } },
  async (e: { readonly data: { id: string } }, flow) => {
    const { id } = e.data;
    const one = await flow.step("one", (tx) => add(tx, `${id} one`));
    const failed = await flow.step("again", async (tx) => {
      await add(tx, `${id} again`);
      return tx.attempt === 1 ? fail("once") : tx.attempt;
    });
    const asked = await flow.callback<number>("asked");
    await flow.step("tell", (tx) => tx.kv.set(`url ${id}`, asked.url));
    const answered = await asked.result();
    await flow.step("ask", (tx) => tx.emit("asked", { parcel: "quick" }));
    const got = await flow.waitFor("arrived", parcel, { match: { "data.parcel": "quick" } });
    await flow.sleep("nap", 5);
    const summed = await flow.call("sum", sum, { a: 1, b: 2 });
    const sides = await Promise.all(["left", "right"].map((side) => flow.step(side, (tx) => add(tx, `${id} ${side}`))));
    // They only write, and go ahead of their commits.
    const chained: number[] = [];
    for (let i = 0; i < 6; i++)
      chained.push(
        await flow.step("chained", async (tx) => {
          await tx.kv.set(`${id} chained ${i}`, chained);
          await tx.emit("chained", { id, i });
          return i;
        }),
      );
    // Nothing but a step's result stands between it and the end.
    const last = await flow.step("last", (tx) => (tx.kv.set(`${id} last`, 1), "last"));
    return [one, failed, answered, got?.data.weight, summed, sides, chained, last];
  },
);

/** Each is heard once. */
export const chainedHeard = fn({ on: event<{ id: string; i: number }>("chained") }, async (e, ctx) => {
  await add(ctx, `${e.data.id} heard ${e.data.i}`);
});

/** Its last step does what may not be, at some depth. */
export const deep = flow({}, async (e: { readonly data: { depth: number } }, flow) => {
  let data: unknown = 1;
  for (let depth = 0; depth < e.data.depth; depth++) data = [data];
  try {
    return await flow.step("send", (tx) => (tx.emit("deep", data), "sent"), { retry: { attempts: 1 } });
  } catch (error) {
    return (error as { cause: Error }).cause.message;
  }
});

/** One at a time in an instance, so that few of them fill the pool. */
export const naps = flow({ concurrency: { instance: 1 } }, async (e: { readonly data: { until: number } }, flow) => {
  await flow.sleepUntil("nap", e.data.until);
  return await flow.step("up", () => "up");
});

/** Begun by a request. */
export const echoed = flow({ on: http.post("/echoed") }, async (request, flow) => {
  const text = await request.text();
  return await flow.step("echo", () => ({ text }));
});
