import { Server, Socket } from "node:net";
import type { Apart } from "./flow/ahead.ts";

/** Something that is about to reach out of this process, held back. */
interface Held {
  /** The call that does it; null: none that is known. */
  readonly call: number | null;
  readonly go: () => void;
  readonly refuse: (reason: Error) => void;
}

/**
 * Whether anything in this process has ever reached out of it, by a socket: it has no other way, unless it was granted one. As long as
 * nothing has, what its runs do before their commits is known to nobody, and can be done again. The first that reaches out waits until
 * everything is committed that any run here has gone ahead of; from then on no run goes ahead. SPEC.md, R11.
 */
export class Outside {
  private reached = false;
  private readonly ahead = new Set<number>();
  private held: Held[] = [];

  get isReached(): boolean {
    return this.reached;
  }

  /** As the run under this number sees it. */
  apart(call: number): Apart {
    const isApart = (): boolean => !this.reached;
    const reaches = (): boolean => this.held.some((held) => held.call === call || held.call === null);
    return {
      get isApart() {
        return isApart();
      },
      get reaches() {
        return reaches();
      },
      enter: () => void this.ahead.add(call),
      leave: (lost) => this.leave(call, lost),
    };
  }

  /** True: nothing has to be waited for. */
  reach(): boolean {
    this.reached = true;
    return this.ahead.size === 0;
  }

  hold(held: Held): void {
    this.held.push(held);
  }

  private leave(call: number, lost: boolean): void {
    this.ahead.delete(call);
    if (this.held.length === 0) return;
    if (lost) {
      const refused = this.held.filter((held) => held.call === call);
      this.held = this.held.filter((held) => held.call !== call);
      for (const { refuse } of refused) refuse(new Error("the run was given up before what it had done was committed"));
    }
    if (this.ahead.size > 0) return;
    for (const { go } of this.held.splice(0)) go();
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
  const pass = (): boolean => {
    const isFree = outside.reach();
    // Nothing goes ahead any more: there is nothing left to watch for.
    if (isFree) for (const undo of watched.splice(0)) undo();
    return isFree;
  };
  /** `noted`: how it looks while it is held back. */
  const hold = (original: Method, noted: (socket: object) => void): Method =>
    function held(...args) {
      if (pass()) return Reflect.apply(original, this, args);
      noted(this);
      outside.hold({
        call: current(),
        go: () => {
          if (Reflect.get(this, "destroyed") !== true) Reflect.apply(original, this, args);
        },
        refuse: (reason) => refuse(this, reason),
      });
      return this;
    };
  replace(Socket.prototype, "connect", (original) => hold(original, (socket) => Reflect.set(socket, "connecting", true)));
  const datagrams = process.getBuiltinModule("node:dgram").Socket.prototype;
  for (const name of ["send", "connect"]) replace(datagrams, name, (original) => hold(original, () => {}));
  // Whoever listens does nothing to anybody yet, and hears of the others only in a later turn.
  const note = (original: Method): Method =>
    function noted(...args) {
      pass();
      return Reflect.apply(original, this, args);
    };
  replace(Server.prototype, "listen", note);
  replace(datagrams, "bind", note);
}

function refuse(socket: object, reason: Error): void {
  if (socket instanceof Socket) socket.destroy(reason);
}
