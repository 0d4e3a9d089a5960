import type { FunctionError } from "../protocol/messages.ts";
import { type Ending, type InFlight, judge } from "./blame.ts";
import type { Unfinished } from "./pool.ts";
import type { Ticket } from "./ticket.ts";

/** What is known of an instance's end. */
export interface Loss {
  readonly ending: Ending;
  /** Why its code never came to run. */
  readonly failure: FunctionError | null;
  readonly memoryBytes: number;
  readonly nowMs: number;
}

/** How the calls end that an instance had when it ended. */
export function lastOutcomes(tickets: readonly Ticket[], loss: Loss): Unfinished[] {
  const { ending, failure, memoryBytes, nowMs } = loss;
  const all = tickets.map(inFlight);
  return tickets.map((ticket, at) => {
    if (failure !== null) return { kind: "not-run", reason: "load-failed", error: failure };
    const others = all.filter((_, other) => other !== at);
    return { ...judge(ending, inFlight(ticket), others, memoryBytes), ranMs: nowMs - ticket.beganMs };
  });
}

/** What the process printed on its way down belongs to the log of whoever may have caused it. (A call that was alone has it in its log already.) */
export function logOutput({ call }: Ticket, ending: Ending, outcome: Unfinished): void {
  if (ending.kind !== "gone" || outcome.kind !== "crashed" || outcome.blame === "bystander" || ending.exit.output === "") return;
  call.log("error", ending.exit.output, Date.now());
}

function inFlight({ number, phase, call, allowedMs }: Ticket): InFlight {
  return { number, phase: phase === "waiting" || phase === "over" ? "running" : phase, allowedMs, kind: call.kind };
}
