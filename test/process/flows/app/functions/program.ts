import { event, flow, fn, http, StepError, type Flow, type Tx } from "millrace";
import type { Op, Program } from "../../program.ts";

const RETRY = { attempts: 4, base: "1ms", max: "20ms" } as const;
const counted = event<{ program: string; key: string }>("counted");

/** A program as a flow: what the model predicts, this does. */
export const program = flow(
  { on: http.post("/programs"), cancelOn: [{ event: "drop", match: { "data.never": "id" } }], retry: RETRY },
  async (request, flow) => interpret((await request.json()) as Program, flow),
);

/** Begun by an event, so that an event can cancel it: with its rollbacks, or without. */
export const cancellable = flow(
  {
    on: event<{ id: string; program: Program }>("program"),
    cancelOn: [
      { event: "cancel", match: { "data.id": "data.id" } },
      { event: "drop", match: { "data.id": "data.id" }, rollback: false },
    ],
    retry: RETRY,
  },
  async (e, flow) => interpret(e.data.program, flow),
);

export const child = flow({ retry: RETRY }, async (e: { readonly data: Program }, flow) => interpret(e.data, flow));

export const detached = flow({ retry: RETRY }, async (e: { readonly data: { program: string; key: string } }, flow) => {
  await flow.step("count", (tx) => count(tx, e.data.program, e.data.key));
});

export const double = fn(
  { on: event<{ program: string; key: string; n: number }>("double"), retry: { attempts: 4, base: "1ms" } },
  async (e, ctx) => {
    await count(ctx, e.data.program, e.data.key);
    return e.data.n * 2;
  },
);

/** The events that steps emitted, each once. */
export const heard = fn({ on: counted, key: "data.program" }, async (e, ctx) => {
  await count(ctx, e.data.program, `heard ${e.data.key}`);
});

export const report = fn({ on: http.get("/report/:prefix") }, async (request, ctx) => {
  const after = new URL(request.url).searchParams.get("after");
  return await ctx.kv.list({ prefix: `${ctx.params.prefix} `, limit: 1000, ...(after === null ? {} : { after }) });
});

async function interpret(program: Program, flow: Flow): Promise<unknown> {
  const results: unknown[] = [];
  for (const op of program.ops) results.push(await run(op, program, flow));
  if (program.end === "throws") throw new Error("as it was told");
  if (program.end === "cancelled" || program.end === "dropped") {
    await flow.step("ready", (tx) => tx.kv.set(`todo ${program.id} end`, { cancel: program.end }));
    await flow.sleep("until cancelled", "10h");
  }
  return results;
}

async function run(op: Op, program: Program, flow: Flow): Promise<unknown> {
  const { id } = program;
  const { key } = op;
  switch (op.op) {
    case "step":
      return await step(op, id, flow);
    case "chain":
      return await chain(op, id, flow);
    case "exhaust":
      try {
        return await flow.step(key, () => broken("always"), { retry: { ...RETRY, attempts: 2 } });
      } catch (error) {
        if (!op.caught || !(error instanceof StepError)) throw error;
        return "caught";
      }
    case "sleep":
      await flow.sleep(key, op.ms);
      return null;
    case "wait": {
      await flow.step(`${key} asks`, (tx) => tx.kv.set(`todo ${id} ${key}`, { event: op.comes }));
      const came = await flow.waitFor<{ n: number }>(key, "answer", {
        match: { "data.program": id, "data.key": key },
        timeout: op.comes ? "10h" : "40ms",
      });
      return came === null ? null : came.data.n;
    }
    case "callback": {
      const callback = await flow.callback<{ n: number }>(key, { timeout: op.how === "timeout" ? "40ms" : "10h" });
      await flow.step(`${key} asks`, (tx) => tx.kv.set(`todo ${id} ${key}`, { url: callback.url, how: op.how }));
      try {
        const answer = await callback.result();
        return answer === null ? null : answer.n;
      } catch (error) {
        if (op.how !== "fail") throw error;
        return "failed";
      }
    }
    case "child":
      try {
        return await flow.call(key, child, op.program);
      } catch (error) {
        if (op.program.end !== "throws" && !fails(op.program)) throw error;
        return "child failed";
      }
    case "fn":
      return await flow.call(key, double, { program: id, key, n: 21 });
    case "start": {
      const one = await flow.start(detached, { program: id, key }, { id: `${id}.${key}` });
      const other = await flow.start(detached, { program: id, key }, { id: `${id}.${key}` });
      return one.id === other.id;
    }
    case "map": {
      const items = Array.from({ length: op.items }, (_, i) => i);
      const work = async (tx: Tx, item: number): Promise<number> =>
        item < op.broken ? broken("item") : count(tx, id, `${key} item`, item);
      const results = await flow.map(key, items, work, { concurrency: op.atOnce, tolerate: op.tolerate, retry: { ...RETRY, attempts: 2 } });
      return results.map((result) => (result instanceof Error ? "failed" : result));
    }
    case "all":
      return await Promise.all(op.ops.map((each) => run(each, program, flow)));
    case "race":
      return await Promise.race([
        flow.sleep(`${key} sleeps`, "1h").then(() => "sleep"),
        flow.step(key, async (tx) => {
          await count(tx, id, key);
          return "step";
        }),
      ]);
    case "any":
      return await Promise.any([
        flow.sleep(`${key} sleeps`, 5).then(() => "sleep"),
        flow.step(key, () => broken("always"), { retry: { ...RETRY, attempts: 2 } }),
      ]);
    case "same": {
      const mine = `${flow.uuid()} ${flow.random()} ${flow.now().getTime()}`;
      await flow.step(`${key} keeps`, (tx) => tx.kv.set(`same ${id} ${key}`, mine));
      await run(op.between, program, flow);
      return await flow.step(`${key} compares`, async (tx) => (await tx.kv.get(`same ${id} ${key}`)) === mine);
    }
    default:
      return op satisfies never;
  }
}

async function step(op: Extract<Op, { op: "step" }>, id: string, flow: Flow): Promise<string> {
  return await flow.step(
    op.key,
    async (tx) => {
      await count(tx, id, op.key);
      if (op.shared !== null) await add(tx, `shared ${op.shared}`);
      if (op.emits) await tx.emit(counted, { program: id, key: op.key });
      if (tx.attempt <= op.fails) broken(`attempt ${tx.attempt}`);
      return op.key;
    },
    op.undo ? { rollback: (tx, result) => undo(tx, id, result) } : {},
  );
}

/** Nothing of it is read before it is all there. */
async function chain({ key, steps, fails }: Extract<Op, { op: "chain" }>, id: string, flow: Flow): Promise<number> {
  let last = -1;
  for (let i = 0; i < steps; i++) {
    last = await flow.step(`${key}.${i}`, async (tx) => {
      if (i === fails && tx.attempt === 1) broken("once");
      await tx.kv.set(`chain ${id} ${key}`, [last, i]);
      await tx.emit(counted, { program: id, key: `${key}.${i}` });
      return i;
    });
  }
  return await flow.step(`${key} reads`, async (tx) => {
    const [before, written] = (await tx.kv.get<[number, number]>(`chain ${id} ${key}`)) ?? [NaN, NaN];
    return before === written - 1 && written === last ? written : broken(`read ${before} and ${written} behind ${last}`);
  });
}

async function undo(tx: Tx, id: string, key: string): Promise<void> {
  await count(tx, id, `undone ${key}`);
  const order = `order ${id} undone`;
  await tx.kv.set(order, [...((await tx.kv.get<string[]>(order)) ?? []), key]);
}

async function count(tx: Pick<Tx, "kv">, id: string, key: string, result = 0): Promise<number> {
  await add(tx, `count ${id} ${key}`);
  return result;
}

async function add({ kv }: Pick<Tx, "kv">, key: string): Promise<void> {
  await kv.set(key, ((await kv.get<number>(key)) ?? 0) + 1);
}

function broken(why: string): never {
  throw new Error(why);
}

/** Whether a child ends in an error of its own. */
function fails({ ops }: Program): boolean {
  return ops.some((op) => (op.op === "exhaust" && !op.caught) || (op.op === "map" && op.broken > op.tolerate));
}
