import { MillraceError, toError } from "../core/errors.ts";
import { UsageError } from "./command.ts";
import { type Io, note } from "./io.ts";

/** Says that a command failed; gives the exit code. */
export function reportError(thrown: unknown, debug: boolean, io: Io): 1 | 2 {
  if (!(thrown instanceof UsageError)) {
    showError(thrown, debug, io);
    return 1;
  }
  note(io, `${io.errColors.red("millrace:")} ${thrown.message}`);
  note(io, `  → See \`millrace ${thrown.command === undefined ? "" : `${thrown.command} `}--help\`.`);
  return 2;
}

/** The one form of an error: what is wrong, what to do, and its code. */
export function showError(thrown: unknown, debug: boolean, io: Io): void {
  const colors = io.errColors;
  const error = toError(thrown);
  const known = error instanceof MillraceError ? error : new MillraceError("internal", error.message, { cause: error });
  note(io, `${colors.red("millrace:")} ${known.message}`);
  note(io, `  → ${known.cure}`);
  note(io, colors.dim(`  code: ${known.code}`));
  // A stack is for whoever mends Millrace; the messages of expected errors say all there is to say.
  if (debug || known.code === "internal") note(io, colors.dim(stackOf(error)));
}

function stackOf(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\ncaused by ${stackOf(error.cause)}` : own;
}
