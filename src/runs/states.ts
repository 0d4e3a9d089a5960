import type { RunState } from "../store/store.ts";

/** What people call the state of a run: what the store keeps, and whether it is at work now. */
export type ShownState = Exclude<RunState, "ready"> | "running";

/** What brings a run from one state to another. */
export type RunMove = "goes on" | "sleeps" | "waits" | "pauses" | "rolls back" | "gets stuck" | "ends well" | "fails" | "is cancelled";

/**
 * What each state allows, and where it leads. A missing cell does not compile. Everything passes through `running`: a run that was parked is
 * driven again before anything becomes of it.
 */
export const TRANSITIONS = {
  running: {
    "goes on": "running",
    sleeps: "sleeping",
    waits: "waiting",
    pauses: "paused",
    "rolls back": "rolling-back",
    "gets stuck": "stuck",
    "ends well": "done",
    fails: "failed",
    "is cancelled": "cancelled",
  },
  waiting: parked(),
  sleeping: parked(),
  paused: parked(),
  "rolling-back": parked(),
  stuck: parked(),
  done: over(),
  failed: over(),
  cancelled: over(),
} as const satisfies Readonly<Record<ShownState, Readonly<Record<RunMove, ShownState | null>>>>;

/** Time, an arrival or a person lets it go on. */
function parked(): Readonly<Record<RunMove, ShownState | null>> {
  return { ...over(), "goes on": "running" };
}

function over(): Readonly<Record<RunMove, null>> {
  return {
    "goes on": null,
    sleeps: null,
    waits: null,
    pauses: null,
    "rolls back": null,
    "gets stuck": null,
    "ends well": null,
    fails: null,
    "is cancelled": null,
  };
}

/** `ready` in the store is a run that is at work, or about to be. */
export function shownState(state: RunState): ShownState {
  return state === "ready" ? "running" : state;
}

/** Whether nothing can become of it any more. */
export function isOver(state: RunState): boolean {
  return TRANSITIONS[shownState(state)]["goes on"] === null;
}
