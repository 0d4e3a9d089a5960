import { type } from "arktype";
import * as v from "valibot";
import { describe, expectTypeOf, it } from "vitest";
import { z } from "zod";
import {
  type CloudEvent,
  type Context,
  cron,
  type DeadDelivery,
  type Emitted,
  event,
  type EventOf,
  every,
  fn,
  type FnDefinition,
  http,
  type ScheduleTick,
} from "./index.ts";

// Nothing here asserts at run time: `tsc` is the judge.
const orderPlaced = event("order.placed", { schema: z.object({ id: z.string(), qty: z.coerce.number<string>().default(1) }) });
const orderPaid = event("order.paid", { schema: v.object({ id: v.string() }) });
const orderSent = event("order.sent", { schema: type({ id: "string" }) });
const untyped = event("order.lost");
const trusted = event<{ id: string }>("order.found");

describe("D1: the input of a handler follows from its triggers", () => {
  it("is a Request for routes", () => {
    fn({ on: http.get("/") }, (input) => expectTypeOf(input).toEqualTypeOf<Request>());
    fn({ on: [http.get("/a"), http.post("/b")] }, (input) => expectTypeOf(input).toEqualTypeOf<Request>());
  });

  it("is the schema's output for a typed event, from zod, valibot and arktype", () => {
    fn({ on: orderPlaced }, (e) => {
      expectTypeOf(e).toEqualTypeOf<CloudEvent<{ id: string; qty: number }, "order.placed">>();
      expectTypeOf(e).toEqualTypeOf<EventOf<typeof orderPlaced>>();
    });
    fn({ on: orderPaid }, (e) => expectTypeOf(e.data).toEqualTypeOf<{ id: string }>());
    fn({ on: orderSent }, (e) => expectTypeOf(e.data).toEqualTypeOf<{ id: string }>());
  });

  it("is unknown data, or what was claimed, without a schema", () => {
    fn({ on: untyped }, (e) => expectTypeOf(e).toEqualTypeOf<CloudEvent<unknown, "order.lost">>());
    fn({ on: trusted }, (e) => expectTypeOf(e.data).toEqualTypeOf<{ id: string }>());
    fn({ on: event("order.*") }, (e) => expectTypeOf(e.type).toEqualTypeOf<string>());
  });

  it("is a union for several events, told apart by type", () => {
    fn({ on: [orderPlaced, orderPaid] }, (e) => {
      if (e.type === "order.placed") expectTypeOf(e.data.qty).toEqualTypeOf<number>();
      else expectTypeOf(e.data).toEqualTypeOf<{ id: string }>();
    });
  });

  it("is Request | CloudEvent for a mixture", () => {
    fn({ on: [http.post("/"), orderPaid] }, (input) => {
      expectTypeOf(input).toEqualTypeOf<Request | CloudEvent<{ id: string }, "order.paid">>();
    });
  });

  it("is a tick for schedules, told apart from other events by its type", () => {
    fn({ on: [every("5m"), cron("0 3 * * *", { timezone: "UTC" })] }, (e) => {
      expectTypeOf(e).toExtend<CloudEvent<ScheduleTick>>();
      expectTypeOf(e.data).toEqualTypeOf<{ readonly schedule: string; readonly missed: number }>();
    });
    fn({ on: [every("5m"), orderPaid] }, (e) => {
      if (e.type === "millrace.schedule") expectTypeOf(e.data.missed).toEqualTypeOf<number>();
      else expectTypeOf(e.data).toEqualTypeOf<{ id: string }>();
    });
  });

  it("is what the platform tells, for its own events", () => {
    fn({ on: event("millrace.delivery.dead"), key: (e) => e.data.function }, (e) => {
      expectTypeOf(e).toEqualTypeOf<CloudEvent<DeadDelivery, "millrace.delivery.dead">>();
      expectTypeOf(e.data.error.message).toEqualTypeOf<string>();
    });
    fn({ on: event("millrace.delivery.dead", { where: { data: { function: ["charge"] } } }) }, (e) =>
      expectTypeOf(e.data).toEqualTypeOf<DeadDelivery>(),
    );
    // @ts-expect-error it tells no such thing
    fn({ on: event("millrace.delivery.dead"), key: (e) => e.data.reason }, () => {});
  });
});

describe("D2: the key accessor reads the event before its schema has made anything of it", () => {
  it("sees the schema's input", () => {
    fn({ on: orderPlaced, key: (e) => e.data.id }, () => {});
    fn(
      {
        on: orderPlaced,
        key: (e) => {
          expectTypeOf(e.data.qty).toEqualTypeOf<string | undefined>();
          return e.data.qty;
        },
      },
      () => {},
    );
    // @ts-expect-error the schema knows no such field
    fn({ on: orderPlaced, key: (e) => e.data.colour }, () => {});
  });
});

describe("D3: route parameters are typed by the path", () => {
  it("knows the names", () => {
    fn({ on: http.get("/orders/:order/lines/:line") }, (_, ctx) => {
      expectTypeOf(ctx.params).toEqualTypeOf<Readonly<Record<"order" | "line", string>>>();
    });
    fn({ on: http.get("/files/*") }, (_, ctx) => expectTypeOf(ctx.params["*"]).toEqualTypeOf<string>());
    fn({ on: [http.get("/a/:id"), orderPaid] }, (_, ctx) => expectTypeOf(ctx.params.id).toEqualTypeOf<string | undefined>());
    // @ts-expect-error the path has no such parameter
    fn({ on: http.get("/orders/:order") }, (_, ctx) => ctx.params.line);
  });

  it("fits a helper that takes any context", () => {
    const help = (ctx: Context): string => ctx.id;
    fn({ on: http.get("/orders/:order") }, (_, ctx) => expectTypeOf(help(ctx)).toBeString());
    fn({ on: [http.get("/a/:id"), orderPaid] }, (_, ctx) => expectTypeOf(help(ctx)).toBeString());
    fn({ on: orderPaid }, (_, ctx) => expectTypeOf(help(ctx)).toBeString());
  });
});

describe("D4: emit takes the schema's input", () => {
  it("checks data against the type", () => {
    fn({ on: http.get("/") }, async (_, ctx) => {
      await ctx.emit(orderPlaced, { id: "1" });
      await ctx.emit(orderPlaced, { id: "1", qty: "2" }, { key: "a", after: "5m" });
      await ctx.emit(trusted, { id: "1" });
      expectTypeOf(await ctx.emit(untyped)).toEqualTypeOf<Emitted>();
      await ctx.emit("anything", { goes: true }, { extensions: { tenant: "a" } });
      // @ts-expect-error a field is missing
      await ctx.emit(orderPaid, {});
      // @ts-expect-error data is missing
      await ctx.emit(orderPaid);
      // @ts-expect-error no such option
      await ctx.emit("anything", {}, { delay: "5m" });
    });
  });
});

describe("D5: options that do not exist do not compile", () => {
  it("refuses later and misspelt ones", () => {
    // @ts-expect-error not in this version
    fn({ on: orderPaid, batch: { size: 10 } }, () => {});
    // @ts-expect-error misspelt
    fn({ on: orderPaid, timout: "10s" }, () => {});
    // @ts-expect-error no trigger
    fn({ on: "order.paid" }, () => {});
    // @ts-expect-error no trigger at all
    fn({ timeout: "10s" }, () => {});
    expectTypeOf(fn({ on: orderPaid, timeout: "10s" }, () => {})).toEqualTypeOf<FnDefinition<{ id: string }, void>>();
    expectTypeOf(fn({ on: orderPaid, timeout: "10s" }, () => {})).toExtend<FnDefinition>();
  });
});
