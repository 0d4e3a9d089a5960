import { FRAME, type FrameType } from "../protocol/frame.ts";
import type { FunctionError } from "../protocol/messages.ts";
import type { Calls } from "./calls.ts";
import { toFunctionError } from "./function-error.ts";

interface LastWords {
  sendNow(type: FrameType, call: number, head: object): void;
}

/**
 * When user code ends the process, the node must know which call it was: the guilty one counts an attempt, those beside
 * it do not. So every way out tells first.
 */
export function guardProcess(connection: LastWords, calls: Calls): { readonly exit: (code: number) => never } {
  const exit = process.exit.bind(process);
  const abort = process.abort.bind(process);
  const kill = process.kill.bind(process);
  const tell = (error: FunctionError): void => connection.sendNow(FRAME.fatal, calls.current?.number ?? 0, { error });
  const tellEnd = (what: string): void => {
    const error = new Error(`the function called ${what}`);
    error.name = "ProcessEnded";
    tell(toFunctionError(error));
  };
  process.on("uncaughtException", (error) => {
    tell(toFunctionError(error));
    exit(1);
  });
  process.on("unhandledRejection", (reason) => calls.rejected(reason));
  process.exit = (code) => {
    tellEnd(`process.exit(${code ?? ""})`);
    return exit(code);
  };
  process.abort = () => {
    tellEnd("process.abort()");
    return abort();
  };
  process.kill = (pid, signal) => {
    if (pid === process.pid && signal !== 0) tellEnd(`process.kill on itself${signal === undefined ? "" : ` with ${signal}`}`);
    return kill(pid, signal);
  };
  // Ctrl-C and a service manager's stop reach the whole group; the node decides when its instances end.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => {});
  return { exit };
}
