import { event, flow, type Flow, fn, http, type Tx } from "millrace";

const said = event<{ of: string; step: string }>("early.said");

/** Two steps that only write, each with an event. */
async function twice(of: string, flow: Flow): Promise<string[]> {
  const done: string[] = [];
  for (const step of ["one", "two"])
    done.push(
      await flow.step(step, async (tx) => {
        await tx.kv.set(`early ${of}`, step);
        await tx.emit(said, { of, step });
        return step;
      }),
    );
  return done;
}

export const whole = flow({ on: http.post("/whole/:of") }, async (_request, flow) => twice(flow.params["of"] ?? "", flow));

export const tried = flow({ on: http.post("/tried/:of") }, async (_request, flow) => twice(flow.params["of"] ?? "", flow));

export const goesOn = flow({ on: http.post("/goes-on/:of") }, async (_request, flow) => {
  const of = flow.params["of"] ?? "";
  const before = await twice(of, flow);
  await flow.sleep("nap", 20);
  return [...before, await flow.step("reads", (tx) => tx.kv.get(`early ${of}`))];
});

export const fails = flow({ on: http.post("/fails"), retry: { attempts: 2, base: "1ms", jitter: "none" } }, async (_request, flow) => {
  await flow.step("one", (tx) => tx.kv.set("early fails", "one"), { rollback: (tx) => tx.kv.set("early undone", "one") });
  await flow.step("bad", () => {
    throw new Error("always");
  });
});

/** Ends its process, whatever is tried. */
export const dies = flow({ on: http.post("/dies"), retry: { attempts: 2, base: "1ms", jitter: "none" } }, async (_request, flow) => {
  await flow.step("last", () => process.exit(3));
});

export const oneByOne = flow({ on: http.post("/one-by-one/:of"), concurrency: { function: 1 } }, async (_request, flow) =>
  twice(flow.params["of"] ?? "", flow),
);

/** Of what may not be emitted at some depth. */
export const deeper = flow({ on: http.post("/deeper/:depth") }, async (_request, flow) => {
  let data: unknown = 1;
  for (let depth = 0; depth < Number(flow.params["depth"]); depth++) data = [data];
  try {
    return await flow.step("send", (tx) => (tx.emit("deep", data), "sent"), { retry: { attempts: 1 } });
  } catch (error) {
    return (error as { cause: Error }).cause.message;
  }
});

/** Each step sends something later. */
export const later = flow({ on: http.post("/later") }, async (_request, flow) => {
  for (const step of ["one", "two", "three"]) await flow.step(step, (tx) => tx.emit(said, { of: "later", step }, { after: 30 }));
  return ["over"];
});

export const hears = fn({ on: said, key: "data.of" }, async (e, ctx) => {
  const { of, step } = e.data;
  await ctx.kv.set(`heard ${of}`, [...((await ctx.kv.get<string[]>(`heard ${of}`)) ?? []), step]);
});

async function back(tx: Tx, id: string): Promise<void> {
  if (tx.attempt === 1) throw new Error("once");
  await tx.kv.set(`marched ${id}`, "back");
}

/** Steps and steps; undone by a rollback whose first attempt fails, so that its journal is read again. */
export const marches = flow({ retry: { attempts: 5, base: "1ms", jitter: "none" } }, async (e: { readonly data: { id: string } }, flow) => {
  const { id } = e.data;
  for (let i = 0; i < 400; i++)
    await flow.step("step", (tx) => tx.kv.set(`marches ${id}`, i), i === 0 ? { rollback: (tx) => back(tx, id) } : {});
  return "arrived";
});

/** Its own event is older than its last step. */
export const pings = flow({}, async (_e: { readonly data: null }, flow) => {
  await flow.step("one", (tx) => tx.emit("ping", {}));
  await flow.step("two", () => 2);
  const old = await flow.waitFor("old", "ping", { timeout: 50 });
  await flow.step("three", (tx) => tx.emit("ping", {}));
  const fresh = await flow.waitFor("fresh", "ping", { timeout: 2000 });
  return [old === null, fresh !== null];
});

/** One at a time in an instance: few of them have all the room there is. */
export const narrow = flow({ on: http.post("/narrow/:of"), concurrency: { instance: 1 } }, async (_request, flow) => {
  const of = flow.params["of"] ?? "";
  const before = await twice(of, flow);
  await flow.sleep("nap", 5);
  return [...before, await flow.step("reads", (tx) => tx.kv.get(`early ${of}`))];
});
