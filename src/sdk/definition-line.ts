/**
 * The line where a function or an event was defined, for errors. While an app is described each definition keeps the
 * place of its making; in an instance that runs functions nothing is kept, and nothing paid. A registered symbol, since
 * the app's bundle has its own copy of the SDK.
 */
const NOTE = Symbol.for("millrace.note-line");

interface Home {
  [NOTE]?: (definition: object) => void;
}

/** The stack becomes text, and its source map is read, only if somebody asks for the line. */
const madeAt = new WeakMap<object, Error>();

export function keepLines(): void {
  (globalThis as Home)[NOTE] = (definition) => madeAt.set(definition, new Error());
}

export function noteLine(definition: object): void {
  (globalThis as Home)[NOTE]?.(definition);
}

/** Undefined when `file` had no hand in it, or lines are not kept. */
export function lineOf(definition: object, file: string): number | undefined {
  return lineInStack(madeAt.get(definition)?.stack, file);
}

/** The line of the first frame in `file`, a path as the app's author knows it. */
export function lineInStack(stack: string | undefined, file: string): number | undefined {
  for (const frame of stack?.split("\n") ?? []) {
    const start = frame.indexOf(`${file}:`);
    if (start < 1 || !/[\s(]/.test(frame.charAt(start - 1))) continue;
    const line = /^(\d+):\d+\)?$/.exec(frame.slice(start + file.length + 1))?.[1];
    if (line !== undefined) return Number(line);
  }
  return undefined;
}
