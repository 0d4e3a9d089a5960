import type { Phase, Verb } from "../../protocol/journal.ts";

/** What the handler asked for and is given back once: known by verb, name and number, in this run and whenever it is run again. */
export class Command {
  readonly verb: Verb;
  readonly name: string;
  readonly number: number;
  readonly promise: Promise<unknown>;
  /** Its completion has reached the handler. */
  completed = false;
  /** Its number in the frames; 0 until it has begun in this instance. */
  place = 0;
  /** Taken only while the journal is replayed: where in the code it was asked for. */
  madeAt: Error | null = null;
  /** Sets it off, once nothing of the journal is left that could complete it. */
  begin: () => void = nothing;
  /** What a completion comes to for the handler; throws what it is to throw. */
  readonly read: (phase: Phase, value: string | null, attempt: number) => unknown;
  private readonly settling = Promise.withResolvers<unknown>();

  constructor(verb: Verb, name: string, number: number, read: Command["read"]) {
    this.verb = verb;
    this.name = name;
    this.number = number;
    this.read = read;
    this.promise = this.settling.promise;
    // Whoever races it against others need not look at how it failed.
    this.promise.catch(nothing);
  }

  get key(): string {
    return keyOf(this.verb, this.name, this.number);
  }

  /** For people: `step "pack" #1`. */
  get words(): string {
    return wordsOf(this);
  }

  complete(phase: Phase, value: string | null, attempt: number): void {
    if (this.completed) return;
    this.completed = true;
    try {
      this.settling.resolve(this.read(phase, value, attempt));
    } catch (thrown) {
      this.settling.reject(thrown);
    }
  }

  reject(reason: unknown): void {
    if (this.completed) return;
    this.completed = true;
    this.settling.reject(reason);
  }
}

export function keyOf(verb: string, name: string, number: number): string {
  return `${verb} ${name} ${number}`;
}

export function wordsOf({ verb, name, number }: { verb: string; name: string; number: number }): string {
  return `${verb} ${JSON.stringify(name)} #${number}`;
}

function nothing(): void {}
