import type { Exchange } from "./exchange.ts";

/** How long the client wants to wait (RFC 7240), and whether it said so. */
export interface Preference {
  readonly waitMs: number;
  /** What of it is applied, for the answer. */
  readonly applied: string | null;
}

const MOST_WAIT_S = 60;

/** `Prefer: wait=N`, `Prefer: respond-async`. What is not understood is not minded, as the RFC says. */
export function readPreference(header: string | readonly string[] | undefined, usualMs: number): Preference {
  if (header === undefined) return { waitMs: usualMs, applied: null };
  const text = typeof header === "string" ? header : header.join(",");
  let asked: Preference | null = null;
  for (const preference of text.split(",")) {
    const [name = "", value = ""] = (preference.split(";")[0] ?? "").split("=").map((part) => part.trim());
    const seconds = /^"?(\d{1,6})"?$/.exec(value)?.[1];
    if (name.toLowerCase() === "respond-async" && asked === null) asked = { waitMs: 0, applied: "respond-async" };
    else if (name.toLowerCase() === "wait" && seconds !== undefined) {
      const wait = Math.min(Number(seconds), MOST_WAIT_S);
      asked = { waitMs: wait * 1000, applied: `wait=${wait}` };
    }
  }
  return asked ?? { waitMs: usualMs, applied: null };
}

/** The run goes on: its result will be at its own address. */
export function sendAccepted(exchange: Exchange, id: string, { applied }: Preference): void {
  const headers = ["location", runPath(id), "content-type", "application/json", "cache-control", "no-store", "retry-after", "1"];
  if (applied !== null) headers.push("preference-applied", applied);
  exchange.sendBytes(
    { status: 202, statusText: "", headers },
    Buffer.from(JSON.stringify({ id, state: "running", location: runPath(id) })),
  );
}

export function runPath(id: string): string {
  return `/_/runs/${encodeURIComponent(id)}`;
}
