import { event, fn, http } from "millrace";

export const beside = fn({ on: http.get("/beside") }, () => "well");

/** Takes its time, and is worth waiting for. */
export const slow = fn({ on: http.get("/slow") }, async (request) => {
  const ms = Number(new URL(request.url).searchParams.get("ms"));
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
  return "done";
});

export const hangs = fn({ on: http.get("/hangs"), timeout: "400ms" }, () => new Promise(() => {}));

export const blocks = fn({ on: http.get("/blocks"), timeout: "400ms" }, () => {
  for (;;);
});

export const exits = fn({ on: http.get("/exits") }, () => process.exit(3));

export const hoards = fn({ on: http.get("/hoards"), memory: "64mb" }, async () => {
  const hoard: unknown[] = [];
  for (;;) {
    hoard.push(Array.from({ length: 10_000 }, () => ({})));
    await Promise.resolve();
  }
});

/** Good and bad calls in one instance: the good ones must not pay for the bad. */
export const mixed = fn(
  { on: event<{ readonly what: "well" | "exit" }>("bad.mixed"), retry: { attempts: 2, base: "10ms" } },
  async (e, ctx) => {
    if (e.data.what === "exit") process.exit(3);
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
    await ctx.kv.set(`mixed/${e.id}`, ctx.attempt);
  },
);

export const report = fn({ on: http.get("/report") }, (_request, ctx) => ctx.kv.list({ limit: 1000 }));
