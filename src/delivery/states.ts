/**
 * The life of a delivery as a table. The store keeps every state but `running`, which is only in the owner's memory: after
 * a crash such a delivery is simply ready.
 */
export type State = "ready" | "blocked" | "running" | "done" | "dead" | "held";

export type Happening =
  /** The owner hands it to an instance. */
  | "dispatch"
  /** The handler returned and everything it did is committed. */
  | "succeed"
  /** It goes back: a retry, a conflict, an innocent crash. */
  | "put-back"
  /** Given up. */
  | "give-up"
  /** Given up, and its key waits for a person. */
  | "give-up-and-hold"
  /** The one before it in its key is settled. */
  | "promote"
  /** A person tries it again. */
  | "redrive";

type Row = Readonly<Record<Happening, State | null>>;

const FINAL: Row = {
  dispatch: null,
  succeed: null,
  "put-back": null,
  "give-up": null,
  "give-up-and-hold": null,
  promote: null,
  redrive: null,
};

/** null: this cannot happen in that state; the store refuses it as `fenced`. */
export const TRANSITIONS: Readonly<Record<State, Row>> = {
  ready: { ...FINAL, dispatch: "running" },
  blocked: { ...FINAL, promote: "ready" },
  running: { ...FINAL, succeed: "done", "put-back": "ready", "give-up": "dead", "give-up-and-hold": "held" },
  done: FINAL,
  // A dead one joins the end of its key again: `ready` if there is room there, else the store makes it `blocked`.
  dead: { ...FINAL, redrive: "ready" },
  held: { ...FINAL, redrive: "ready" },
};

export function next(state: State, happening: Happening): State | null {
  return TRANSITIONS[state][happening];
}
