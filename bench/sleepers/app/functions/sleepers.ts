import { event, flow, fn, http } from "millrace";

export const sleeper = flow({ on: event<{ until: number }>("sleeper") }, async (e, flow) => {
  await flow.sleepUntil("night", e.data.until);
  return "awake";
});

export const long = flow({ on: http.post("/long/:steps") }, async (_request, flow) => {
  const steps = Number(flow.params.steps);
  for (let i = 0; i < steps; i++) await flow.step("step", () => i);
  const slept = flow.now().getTime();
  await flow.sleep("nap", 2000);
  await flow.step("awake", (tx) => tx.kv.set("awake", { slept, woke: Date.now() }));
  return steps;
});

export const told = fn({ on: http.get("/told") }, (_request, ctx) => ctx.kv.get("awake"));
