import type { Io } from "./io.ts";

/** A signal that Ctrl-C aborts, for a command that goes on until then: ending it so is no failure. */
export function untilInterrupted(io: Io): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController();
  const release = io.onInterrupt(() => controller.abort());
  return { signal: controller.signal, release };
}
