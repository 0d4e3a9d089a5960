import { describe, expectTypeOf, it } from "vitest";
import { z } from "zod";
import {
  type CalledFlowOptions,
  type Callback,
  type CloudEvent,
  type Context,
  event,
  every,
  type Flow,
  flow,
  type FlowDefinition,
  type FlowOptions,
  fn,
  http,
  type Kv,
  type Tx,
} from "./index.ts";

// Nothing here asserts at run time: `tsc` is the judge.
interface Parcel {
  readonly id: string;
}

const orderPaid = event("order.paid", { schema: z.object({ order: z.string(), qty: z.coerce.number<string>().default(1) }) });
const arrived = event("parcel.arrived", { schema: z.object({ parcel: z.string() }) });
const untyped = event("parcel.lost");
declare const parcel: Parcel;

/** The body of a flow that is only looked at. */
function within(body: (flow: Flow) => unknown): void {
  flow({ on: orderPaid }, (_, flow) => body(flow));
}

describe("D1 D3: a flow's input and parameters follow from its triggers", () => {
  it("as a function's do", () => {
    flow({ on: orderPaid }, (e) => expectTypeOf(e).toEqualTypeOf<CloudEvent<{ order: string; qty: number }, "order.paid">>());
    flow({ on: [http.post("/a/:id"), arrived] }, (input, flow) => {
      expectTypeOf(input).toEqualTypeOf<Request | CloudEvent<{ parcel: string }, "parcel.arrived">>();
      expectTypeOf(flow.params.id).toEqualTypeOf<string | undefined>();
    });
    flow({ on: http.post("/orders/:order") }, (_, flow) => expectTypeOf(flow.params.order).toBeString());
    flow({ on: every("1d") }, (e) => expectTypeOf(e.data.missed).toBeNumber());
    // @ts-expect-error the path has no such parameter
    flow({ on: http.get("/orders/:order") }, (_, flow) => flow.params.line);
  });

  it("D2: its key reads what lies in the log", () => {
    flow({ on: orderPaid, key: (e) => expectTypeOf(e.data.qty).toEqualTypeOf<string | undefined>() }, () => {});
    // @ts-expect-error the schema knows no such field
    flow({ on: orderPaid, key: (e) => e.data.colour }, () => {});
  });
});

describe("D5: options of a flow that do not exist do not compile", () => {
  it("refuses misspelt ones and those of functions", () => {
    const made = flow(
      {
        on: orderPaid,
        id: "orders.fulfil",
        concurrency: { key: 2 },
        retry: { attempts: 2, onExhausted: "pause" },
        timeout: "10s",
        deadline: "90d",
        cancelOn: [{ event: arrived, match: { "data.parcel": "data.order" }, rollback: false }, { event: "shop.closed" }],
        memory: "256mb",
        network: false,
      },
      () => {},
    );
    expectTypeOf(made).toEqualTypeOf<FlowDefinition<{ order: string; qty: number }, void>>();
    // @ts-expect-error of functions alone
    flow({ on: orderPaid, onDead: "hold" }, () => {});
    // @ts-expect-error misspelt
    flow({ on: orderPaid, timout: "10s" }, () => {});
    // @ts-expect-error misspelt
    flow({ dedline: "10s" }, () => {});
    // @ts-expect-error no trigger
    flow({ on: "order.paid" }, () => {});
    // @ts-expect-error no such way out
    flow({ on: orderPaid, retry: { onExhausted: "stop" } }, () => {});
    // @ts-expect-error a rule needs its event
    flow({ on: orderPaid, cancelOn: { match: {} } }, () => {});
    // @ts-expect-error only a flow pauses
    fn({ on: orderPaid, retry: { onExhausted: "pause" } }, () => {});
  });

  it("has types for options that are written apart", () => {
    const options = { on: orderPaid, deadline: "1d" } satisfies FlowOptions<typeof orderPaid>;
    flow(options, (e) => expectTypeOf(e.data.order).toBeString());
    const called: CalledFlowOptions<Parcel> = { key: (e) => e.data.id };
    flow(called, (e) => expectTypeOf(e.data).toEqualTypeOf<Parcel>());
  });
});

describe("D29: the result of a step", () => {
  it("is what its function returns or promises", () => {
    within(async (flow) => {
      expectTypeOf(await flow.step("a", () => 1)).toEqualTypeOf<number>();
      expectTypeOf(await flow.step("b", async () => parcel)).toEqualTypeOf<Parcel>();
      expectTypeOf(await flow.step("c", () => {})).toEqualTypeOf<void>();
      expectTypeOf(await flow.step("d", async () => (Math.random() < 0.5 ? parcel : undefined))).toEqualTypeOf<Parcel | undefined>();
      expectTypeOf(await flow.step<string>("e", (tx) => tx.id)).toEqualTypeOf<string>();
    });
  });

  it("goes to its rollback", () => {
    within((flow) =>
      flow.step("pack", async (tx) => ({ ...parcel, by: tx.attempt }), {
        timeout: "5s",
        retry: { attempts: 2, onExhausted: "pause" },
        rollback: (tx, result) => {
          expectTypeOf(tx).toEqualTypeOf<Tx>();
          expectTypeOf(result).toEqualTypeOf<{ by: number; id: string }>();
        },
      }),
    );
    // @ts-expect-error the step gives no such result
    within((flow) => flow.step("pack", () => parcel, { rollback: (_, result: number) => result }));
    // @ts-expect-error no such option
    within((flow) => flow.step("pack", () => parcel, { rolback: () => {} }));
  });

  it("has a transaction to work with", () => {
    within((flow) =>
      flow.step("pack", async (tx) => {
        expectTypeOf(tx.kv).toEqualTypeOf<Kv>();
        expectTypeOf(tx.signal).toEqualTypeOf<AbortSignal>();
        await tx.emit(arrived, { parcel: "1" });
        // @ts-expect-error a field is missing
        await tx.emit(arrived, {});
        // @ts-expect-error a step does not begin steps
        tx.step("again", () => 1);
      }),
    );
  });

  it("of map: in the order of the items, with Errors where some may fail", () => {
    within(async (flow) => {
      const told = await flow.map("tell", [parcel], (tx, item, index) => {
        expectTypeOf([item, index]).toEqualTypeOf<(Parcel | number)[]>();
        return tx.id;
      });
      expectTypeOf(told).toEqualTypeOf<string[]>();
      expectTypeOf(await flow.map("a", new Set([1]), async (_, item) => item, { concurrency: 2 })).toEqualTypeOf<number[]>();
      expectTypeOf(await flow.map("b", [1], (_, item) => item, { tolerate: 0 })).toEqualTypeOf<number[]>();
      expectTypeOf(await flow.map("c", [1], async (_, item) => item, { tolerate: 2 })).toEqualTypeOf<(number | Error)[]>();
      expectTypeOf(await flow.map("d", [1], (_, item) => `${item}`, { tolerate: "5%" })).toEqualTypeOf<(string | Error)[]>();
      await flow.map("e", [1], async (_, item) => `${item}`, { rollback: (_, result) => expectTypeOf(result).toBeString() });
      // @ts-expect-error no share
      await flow.map("f", [1], (_, item) => item, { tolerate: "few" });
    });
  });

  it("of all: each its own", () => {
    within(async (flow) => {
      expectTypeOf(await flow.all([flow.step("a", () => 1), flow.sleep("b", "1s"), "c"])).toEqualTypeOf<[number, void, "c"]>();
      expectTypeOf(await flow.all([1, 2].map((n) => flow.step(`n${n}`, () => n)))).toEqualTypeOf<number[]>();
    });
  });
});

describe("D30: what a flow waits for", () => {
  it("is the event or null", () => {
    within(async (flow) => {
      const found = await flow.waitFor("arrived", arrived, { match: { "data.parcel": parcel.id }, timeout: "7d", since: "start" });
      expectTypeOf(found).toEqualTypeOf<CloudEvent<{ parcel: string }, "parcel.arrived"> | null>();
      expectTypeOf(await flow.waitFor("lost", untyped)).toEqualTypeOf<CloudEvent<unknown, "parcel.lost"> | null>();
      expectTypeOf(await flow.waitFor("other", "parcel.found")).toEqualTypeOf<CloudEvent | null>();
      expectTypeOf(await flow.waitFor<Parcel>("other", "parcel.found")).toEqualTypeOf<CloudEvent<Parcel> | null>();
      // @ts-expect-error a value is compared, no object
      await flow.waitFor("arrived", arrived, { match: { "data.parcel": {} } });
    });
  });

  it("or the answer to a callback", () => {
    within(async (flow) => {
      const approval = await flow.callback<{ ok: boolean }>("approve", { timeout: "3d" });
      expectTypeOf(approval).toEqualTypeOf<Callback<{ ok: boolean }>>();
      expectTypeOf(await approval.result()).toEqualTypeOf<{ ok: boolean } | null>();
      expectTypeOf(await (await flow.callback("b")).result()).toEqualTypeOf<unknown>();
    });
  });
});

describe("D31: calling and starting", () => {
  const ship = flow({ on: arrived }, async () => parcel);
  const weigh = fn({ on: [arrived, orderPaid] }, (e) => (e.type === "order.paid" ? e.data.qty : 0));
  const charge = flow({}, async (e: CloudEvent<{ cents: number; currency?: string }>) => e.data.cents > 0);
  const page = fn({ on: http.get("/") }, () => "page");
  const either = fn({ on: [http.get("/"), arrived] }, () => 1);

  it("call gives the result of a flow or a function", () => {
    within(async (flow) => {
      expectTypeOf(await flow.call("ship", ship, { parcel: "1" })).toEqualTypeOf<Parcel>();
      expectTypeOf(await flow.call("weigh", weigh, { order: "1", qty: 2 }, { id: "weigh-1" })).toEqualTypeOf<number>();
      expectTypeOf(await flow.call("weigh", weigh, { parcel: "1" })).toEqualTypeOf<number>();
      expectTypeOf(await flow.call("charge", charge, { cents: 1 })).toEqualTypeOf<boolean>();
      expectTypeOf(await flow.call("either", either, { parcel: "1" })).toEqualTypeOf<number>();
    });
  });

  it("call checks the input", () => {
    within(async (flow) => {
      expectTypeOf(flow.call("charge", charge, { cents: 1, currency: "EUR" })).toEqualTypeOf<Promise<boolean>>();
      // @ts-expect-error a field is missing
      await flow.call("ship", ship, {});
      // @ts-expect-error a field is of another type
      await flow.call("charge", charge, { cents: "1" });
      // @ts-expect-error a field too many: misspelt, most likely
      await flow.call("charge", charge, { cents: 1, curency: "EUR" });
      // @ts-expect-error the input is missing
      await flow.call("ship", ship);
      // @ts-expect-error only HTTP wakes it
      await flow.call("page", page, {});
      // @ts-expect-error no function of Millrace
      await flow.call("plain", () => 1, {});
    });
  });

  it("start takes flows, and checks the input as well", () => {
    const help = async (ctx: Context | Tx): Promise<void> => {
      expectTypeOf(await ctx.start(ship, { parcel: "1" }, { id: "ship-1" })).toEqualTypeOf<{ readonly id: string }>();
      // @ts-expect-error a field is of another type
      await ctx.start(ship, { parcel: 1 });
    };
    fn({ on: http.post("/") }, (_, ctx) => help(ctx));
    within(async (flow) => {
      await flow.step("begin", help);
      expectTypeOf(await flow.start(charge, { cents: 1 })).toEqualTypeOf<{ readonly id: string }>();
      // @ts-expect-error a field is missing
      await flow.start(charge, {});
      // @ts-expect-error a field too many
      await flow.start(charge, { cents: 1, curency: "EUR" });
      // @ts-expect-error a function is not started: emit an event
      await flow.start(weigh, { parcel: "1" });
    });
  });

  it("any flow is a FlowDefinition, with what it takes and gives", () => {
    expectTypeOf(ship).toEqualTypeOf<FlowDefinition<{ parcel: string }, Promise<Parcel>>>();
    expectTypeOf(ship).toExtend<FlowDefinition>();
    expectTypeOf([ship, charge]).toExtend<readonly FlowDefinition[]>();
    // @ts-expect-error it takes something else
    expectTypeOf(ship).toExtend<FlowDefinition<{ cents: number }>>();
  });
});

describe("D32: a flow without triggers", () => {
  it("has for data what its handler claims", () => {
    expectTypeOf(flow({}, (e: CloudEvent<Parcel>) => e.data.id)).toEqualTypeOf<FlowDefinition<Parcel, string>>();
    expectTypeOf(
      flow({ timeout: "5s" }, async (e: CloudEvent<Parcel>, flow) => {
        expectTypeOf(flow.params).toEqualTypeOf<Flow["params"]>();
        return flow.step("a", () => e.data);
      }),
    ).toEqualTypeOf<FlowDefinition<Parcel, Promise<Parcel>>>();
    flow({ key: (e: CloudEvent<Parcel>) => e.data.id }, (e: CloudEvent<Parcel>) => expectTypeOf(e.data).toEqualTypeOf<Parcel>());
    flow({ key: "data.id" }, (e: CloudEvent<Parcel>) => e.data.id);
  });

  it("and unknown data where it claims nothing", () => {
    const loose = flow({}, (e) => expectTypeOf(e).toEqualTypeOf<CloudEvent>());
    within((flow) => flow.call("loose", loose, { any: "thing" }));
  });
});
