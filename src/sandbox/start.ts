import { newId } from "../core/ids.ts";
import type { Context } from "../sdk/context.ts";
import type { EffectLog } from "./effect-log.ts";
import { checkRunId } from "./flow/flow-verbs.ts";
import { keptText } from "../protocol/kept-value.ts";
import { checkNames } from "./flow/step-command.ts";
import type { Targets } from "./flow/targets.ts";

/** `ctx.start` of one transaction: the run begins when it commits. */
export function starter(targets: Targets, effects: EffectLog, guard: (what: string) => void): Context["start"] {
  return async (flow: unknown, input: unknown, options: { readonly id?: string } = {}) => {
    guard("start");
    const target = await targets.nameOf("start", flow, ["flow"]);
    checkNames("start", options, ["id"]);
    const { id } = options;
    if (id !== undefined) checkRunId("start", id);
    const text = keptText(input, `the input of "${target}"`);
    guard("start");
    const named = id !== undefined;
    const run = id ?? newId();
    effects.addStart(JSON.stringify({ target, input: text, id: run, named }));
    return Object.freeze({ id: run });
  };
}
