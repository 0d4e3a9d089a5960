import type { ArrivalKind, Phase, RunKind, RunState, Verb } from "../store.ts";

/** What the file keeps as small numbers: the place in these lists. They only ever grow at their ends. */
const VERBS: readonly Verb[] = ["step", "sleep", "wait", "callback", "answer", "call", "start", "map", "rollback", "run"];
const PHASES: readonly Phase[] = ["opened", "attempt", "resumed", "done", "failed"];
const KINDS: readonly ArrivalKind[] = ["event", "answer", "child", "cancel", "resume", "signal", "move"];
/** 0 is a delivery without a run. */
const RUN_KINDS: readonly (RunKind | null)[] = [null, "flow", "fn"];
/** Those that are over stand last. */
const STATES: readonly RunState[] = ["ready", "waiting", "sleeping", "paused", "rolling-back", "stuck", "done", "failed", "cancelled"];

export const FIRST_ENDED = STATES.indexOf("done");
export const READY = STATES.indexOf("ready");
export const PHASE_DONE = PHASES.indexOf("done");
export const PHASE_FAILED = PHASES.indexOf("failed");

export const verbCode = (verb: Verb): number => VERBS.indexOf(verb);
export const verbOf = (code: unknown): Verb => VERBS[Number(code)] ?? "run";
export const phaseCode = (phase: Phase): number => PHASES.indexOf(phase);
export const phaseOf = (code: unknown): Phase => PHASES[Number(code)] ?? "opened";
export const arrivalCode = (kind: ArrivalKind): number => KINDS.indexOf(kind);
export const arrivalOf = (code: unknown): ArrivalKind => KINDS[Number(code)] ?? "signal";
export const runKindCode = (kind: RunKind | undefined): number => (kind === undefined ? 0 : RUN_KINDS.indexOf(kind));
export const runKindOf = (code: unknown): RunKind | null => RUN_KINDS[Number(code)] ?? null;
export const runStateCode = (state: RunState): number => STATES.indexOf(state);
export const runStateOf = (code: unknown): RunState => STATES[Number(code)] ?? "ready";
