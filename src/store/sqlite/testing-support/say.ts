import { writeSync } from "node:fs";

const nap = new Int32Array(new SharedArrayBuffer(4));

/** Writes the line before it returns, so that a kill right after it loses nothing of it. A parent that is slow to read is waited for. */
export function say(line: string): void {
  let rest = Buffer.from(`${line}\n`);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      // The store's threads have made the pipe one that does not wait.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(nap, 0, 0, 1);
    }
  }
}
