import { text } from "node:stream/consumers";
import { createInterface } from "node:readline/promises";
import { type Io, makeColors, wantsColor } from "./io.ts";

/** The world of a real process. */
export function processIo(): Io {
  const { stdout, stderr, stdin, env } = process;
  endQuietlyOnClosedPipe(stdout);
  endQuietlyOnClosedPipe(stderr);
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    outColors: makeColors(wantsColor(stdout.isTTY, env)),
    errColors: makeColors(wantsColor(stderr.isTTY, env)),
    outIsTerminal: stdout.isTTY,
    errIsTerminal: stderr.isTTY,
    columns: stdout.isTTY ? stdout.columns : null,
    cwd: process.cwd(),
    env,
    now: () => Date.now(),
    readInput: () => text(stdin),
    ask: async (question) => {
      if (!stdin.isTTY || !stderr.isTTY) return null;
      const reader = createInterface({ input: stdin, output: stderr });
      try {
        return await reader.question(question);
      } finally {
        reader.close();
      }
    },
    exit: (code) => process.exit(code),
    onInterrupt: (handler) => {
      process.on("SIGINT", handler).on("SIGTERM", handler);
      return () => void process.off("SIGINT", handler).off("SIGTERM", handler);
    },
  };
}

/** `millrace events | head` is no failure: the reader has what it wanted. */
function endQuietlyOnClosedPipe(stream: NodeJS.WriteStream): void {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}
