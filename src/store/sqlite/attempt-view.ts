import type { SQLOutputValue } from "node:sqlite";
import type { AttemptView } from "../store.ts";

export function attemptView(row: Record<string, SQLOutputValue>): AttemptView {
  return {
    attempt: Number(row["attempt"]),
    invocation: String(row["invocation"]),
    startedMs: Number(row["started_ms"]),
    endedMs: Number(row["ended_ms"]),
    name: String(row["name"]),
    message: String(row["message"]),
    stack: row["stack"] as string | null,
  };
}
