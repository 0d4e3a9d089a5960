import { MillraceError, toError } from "../core/errors.ts";
import { UsageError } from "./command.ts";
import { type Io, note } from "./io.ts";

/** The one form in which a command says that it failed; gives the exit code. */
export function reportError(thrown: unknown, debug: boolean, io: Io): 1 | 2 {
  const colors = io.errColors;
  const error = toError(thrown);
  note(io, `${colors.red("millrace:")} ${error.message}`);
  if (error instanceof UsageError) {
    note(io, `  → See \`millrace ${error.command === undefined ? "" : `${error.command} `}--help\`.`);
    return 2;
  }
  const known = error instanceof MillraceError ? error : new MillraceError("internal", error.message, { cause: error });
  note(io, `  → ${known.cure}`);
  note(io, colors.dim(`  code: ${known.code}`));
  // A stack is for whoever mends Millrace; the messages of expected errors say all there is to say.
  if (debug || known.code === "internal") note(io, colors.dim(stackOf(error)));
  return 1;
}

function stackOf(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\ncaused by ${stackOf(error.cause)}` : own;
}
