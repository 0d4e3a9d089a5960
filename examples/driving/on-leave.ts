import { constants } from "node:os";

const tidying = new Set<() => void>();

/** What Ctrl-C must not leave behind, since it ends a script without its `finally`. Returns what takes it back. */
export function onLeave(tidy: () => void): () => void {
  if (tidying.size === 0) for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, leave);
  tidying.add(tidy);
  return () => {
    tidying.delete(tidy);
    if (tidying.size === 0) for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, leave);
  };
}

function leave(signal: "SIGINT" | "SIGTERM"): void {
  // Last made, first undone: a node before the folder that it works in.
  for (const tidy of [...tidying].reverse()) tidy();
  process.exit(128 + constants.signals[signal]);
}
