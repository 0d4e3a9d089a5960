import { AsyncLocalStorage } from "node:async_hooks";
import { Server, Socket } from "node:net";

/** Something that is about to reach out of this process. */
interface Reach {
  /** The call that does it; null: none that is known. */
  readonly call: number | null;
  readonly go: () => void;
  readonly refuse: (reason: Error) => void;
}

const LOST = new Error("the run was given up before what it had done was committed");

/**
 * Whether anything in this process has ever reached out of it, by a socket: it has no other way, unless it was granted one. As long as
 * nothing has, what its runs do before their commits is known to nobody, and can be done again. The first that reaches out waits until
 * everything is committed that any run here has gone ahead of; from then on no run goes ahead. SPEC.md, R11.
 */
export class Outside {
  private reached = false;
  /** Calls that have gone ahead of what they have committed. */
  private readonly ahead = new Set<number>();
  /** Calls that were given up before it was committed: something of them may still be at work. */
  private readonly lost = new Set<number>();
  private held: Reach[] = [];

  get isReached(): boolean {
    return this.reached;
  }

  /** There is nothing left to watch for. */
  get isOpen(): boolean {
    return this.reached && this.ahead.size === 0 && this.lost.size === 0;
  }

  note(): void {
    this.reached = true;
  }

  /** False: it is held back, or refused. */
  reach(call: number | null, make: () => Reach): boolean {
    this.reached = true;
    if (call !== null && this.lost.has(call)) make().refuse(LOST);
    else if (this.ahead.size === 0) return true;
    else this.held.push(make());
    return false;
  }

  /** Something of this call waits to reach out. */
  holds(call: number): boolean {
    return this.held.some((held) => held.call === call || held.call === null);
  }

  enter(call: number): void {
    this.ahead.add(call);
  }

  /** All that it went ahead of is committed. */
  leave(call: number): void {
    this.ahead.delete(call);
    if (this.ahead.size === 0) for (const { go } of this.held.splice(0)) go();
  }

  /** It never will be. */
  lose(call: number): void {
    this.lost.add(call);
    const refused = this.held.filter((held) => held.call === call);
    this.held = this.held.filter((held) => held.call !== call);
    for (const { refuse } of refused) refuse(LOST);
    this.leave(call);
  }
}

type Method = (this: object, ...args: unknown[]) => unknown;

/** Puts itself before the ways out, for as long as nothing has taken one. `current`: the call in whose context it is asked. */
export function watchSockets(outside: Outside, current: () => number | null): void {
  const watched: (() => void)[] = [];
  const replace = (prototype: object, name: string, by: (original: Method) => Method): void => {
    const original = Reflect.get(prototype, name) as Method;
    Reflect.set(prototype, name, by(original));
    watched.push(() => Reflect.set(prototype, name, original));
  };
  const isOpen = (): boolean => {
    if (!outside.isOpen) return false;
    for (const undo of watched.splice(0)) undo();
    return true;
  };
  /** `noted`: how it looks while it is held back. */
  const hold = (original: Method, noted: (socket: object) => void): Method =>
    function held(...args) {
      const call = current();
      const go = (): unknown => Reflect.apply(original, this, args);
      if (isOpen()) return go();
      const isFree = outside.reach(call, () => {
        noted(this);
        // What it sets off belongs to who asked for it, not to whoever lets it go.
        const inContext = AsyncLocalStorage.snapshot();
        return {
          call,
          go: () => void (Reflect.get(this, "destroyed") === true || inContext(go)),
          refuse: (reason) => refuse(this, reason),
        };
      });
      return isFree ? go() : this;
    };
  replace(Socket.prototype, "connect", (original) => hold(original, (socket) => Reflect.set(socket, "connecting", true)));
  const datagrams = process.getBuiltinModule("node:dgram").Socket.prototype;
  for (const name of ["send", "connect"]) replace(datagrams, name, (original) => hold(original, () => {}));
  // Whoever listens does nothing to anybody yet, and hears of the others only in a later turn.
  const note = (original: Method): Method =>
    function noted(...args) {
      outside.note();
      return Reflect.apply(original, this, args);
    };
  replace(Server.prototype, "listen", note);
  replace(datagrams, "bind", note);
}

function refuse(socket: object, reason: Error): void {
  if (socket instanceof Socket) socket.destroy(reason);
}
