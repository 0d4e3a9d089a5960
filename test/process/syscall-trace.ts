/**
 * Reads what `strace -f -yy` wrote. A call of one thread may be begun on one line and ended on another, with lines of other threads between
 * them; what is asked of a trace is always whether one call had ended before another one began, so each carries both places.
 */
export interface SystemCall {
  readonly thread: number;
  readonly name: string;
  /** What the first argument's descriptor stands for: a path, or `TCP:[…]`; empty when it stands for nothing. */
  readonly target: string;
  /** Its arguments as strace shows them. */
  readonly text: string;
  readonly beganAt: number;
  /** Infinity when the trace ends before the call does. */
  readonly endedAt: number;
  readonly ok: boolean;
}

const BEGUN = /^(\d+) +(\w+)\((.*?)(?: *<unfinished \.\.\.>)$/s;
const RESUMED = /^(\d+) +<\.\.\. (\w+) resumed>(.*)$/s;
const WHOLE = /^(\d+) +(\w+)\((.*)$/s;
const RESULT = /\) += (-?\d+|\?)[^"]*$/;

interface Begun {
  readonly name: string;
  readonly text: string;
  readonly beganAt: number;
}

export function parseTrace(trace: string): SystemCall[] {
  const calls: SystemCall[] = [];
  const open = new Map<number, Begun>();
  for (const [at, line] of trace.split("\n").entries()) {
    const begun = BEGUN.exec(line);
    if (begun !== null) {
      open.set(Number(begun[1]), { name: begun[2] ?? "", text: begun[3] ?? "", beganAt: at });
      continue;
    }
    const resumed = RESUMED.exec(line);
    if (resumed !== null) {
      const thread = Number(resumed[1]);
      const first = open.get(thread);
      if (first === undefined || first.name !== resumed[2])
        throw new Error(`line ${at + 1} ends a call that was not begun: ${line.slice(0, 80)}`);
      open.delete(thread);
      calls.push(systemCall(thread, first, resumed[3] ?? "", at));
      continue;
    }
    const whole = WHOLE.exec(line);
    if (whole !== null) calls.push(systemCall(Number(whole[1]), { name: whole[2] ?? "", text: "", beganAt: at }, whole[3] ?? "", at));
  }
  for (const [thread, begun] of open) calls.push({ thread, ...begun, target: targetOf(begun.text), endedAt: Infinity, ok: false });
  return calls.sort((one, other) => one.beganAt - other.beganAt);
}

function systemCall(thread: number, { name, text, beganAt }: Begun, rest: string, endedAt: number): SystemCall {
  const whole = text + rest;
  const result = RESULT.exec(whole)?.[1];
  return { thread, name, target: targetOf(whole), text: whole, beganAt, endedAt, ok: result !== undefined && !/^[-?]/.test(result) };
}

/** `21</data/millrace.db-wal>, …` or `25<TCP:[127.0.0.1:4800->127.0.0.1:50000]>, …`. */
function targetOf(text: string): string {
  return /^\d+<((?:TCP:\[[^\]]*\]|[^>])*)>/.exec(text)?.[1] ?? "";
}
