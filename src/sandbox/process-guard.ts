import { FRAME, type FrameType } from "../protocol/frame.ts";
import type { FunctionError } from "../protocol/messages.ts";
import type { Calls } from "./calls.ts";
import { toFunctionError } from "./function-error.ts";

interface LastWords {
  sendNow(type: FrameType, call: number, head: object): void;
}

const EPERM = -1;

/**
 * The permission model says nothing of signals, and the node runs as the same user: a function could kill it and its
 * neighbours. `process.kill` goes through `_kill`, here and for whoever finds that by name.
 */
function forbidKillingOthers(): void {
  const raw: unknown = Reflect.get(process, "_kill");
  if (typeof raw !== "function") return;
  const own = (pid: number, signal: number): unknown => (pid === process.pid ? Reflect.apply(raw, process, [pid, signal]) : EPERM);
  Object.defineProperty(process, "_kill", { value: own, writable: false, configurable: false });
}

/** Node says that addons are disabled, and the packages that load them then guess at the platform; the author wants to know of the grant. */
function explainRefusedAddons(): void {
  const dlopen = process.dlopen.bind(process);
  process.dlopen = (...args) => {
    try {
      dlopen(...args);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ERR_DLOPEN_DISABLED")
        error.message = 'the sandbox loads no native addons unless the function says `allow: ["addons"]`';
      throw error;
    }
  };
}

/**
 * When user code ends the process, the node must know which call it was: the guilty one counts an attempt, those beside
 * it do not. So every way out tells first.
 */
export function guardProcess(connection: LastWords, calls: Calls): { readonly exit: (code: number) => never } {
  forbidKillingOthers();
  explainRefusedAddons();
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
