import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { NodeProcess, pause } from "../../test/process/node-process.ts";
import type { Contender, OpenContender } from "./contender.ts";
import { firstAnswer } from "./first-answer.ts";

interface Way {
  readonly fn: "small" | "big";
  readonly spare: boolean;
  readonly cache: boolean;
}

/** A request through the gateway of a real node, on a fresh connection, to a function that has no instance. */
export function ours(app: string, { fn, spare, cache }: Way): Contender {
  const what = `HTTP request to a function at zero, ${spare ? "a spare ready" : "no spare"}${fn === "big" ? `, 5 MB bundle ${cache ? "with" : "without"} its code cache` : ""}`;
  return {
    name: `millrace ${fn}${spare ? "" : ", no spare"}${cache ? "" : ", no code cache"}`,
    what,
    open: () => open(app, { fn, spare, cache }),
  };
}

async function open(app: string, { fn, spare, cache }: Way): Promise<OpenContender> {
  process.env["MILLRACE_SPARES"] = spare ? "2" : "0";
  const node = await NodeProcess.start(app);
  if (!cache) removeCaches(join(node.data, "releases"));
  const leastSpares = spare ? 1 : 0;
  const isAtZero = async (): Promise<boolean> =>
    (await node.metric("millrace_instances")) === 0 && (await node.metric("millrace_spares")) >= leastSpares;
  const atZero = async (): Promise<void> => {
    while (!(await isAtZero())) await pause(20);
    // The spare stands there; what it compiles ahead and rehearses takes as long as the machine lets it.
    if (spare) await pause(fn === "big" ? 1000 : 200);
  };
  const before = await node.metric("millrace_cold_starts_total");
  let calls = 0;
  return {
    once: async () => {
      await atZero();
      calls++;
      return firstAnswer(node.port, `/${fn}`);
    },
    facts: async () => {
      const cold = (await node.metric("millrace_cold_starts_total")) - before;
      if (cold !== calls) throw new Error(`${calls} calls were ${cold} cold starts`);
      return { coldStarts: cold };
    },
    close: () => node.stop(),
  };
}

function removeCaches(releases: string): void {
  for (const file of readdirSync(releases, { recursive: true, encoding: "utf8" })) if (file.endsWith(".v8")) rmSync(join(releases, file));
}
