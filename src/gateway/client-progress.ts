import type { Socket } from "node:net";
import { MillraceError, TransientMap } from "../core/index.ts";
import type { GatewayLimits } from "./gateway-limits.ts";
import type { RequestBody } from "./request-body.ts";

/** When a client last moved enough, and how much it had moved by then. */
export interface Mark {
  atMs: number;
  moved: number;
}

/** Whether a client has kept us waiting for too long; `mark` moves on while it does not. */
export function isStalled(mark: Mark, moved: number, waits: boolean, nowMs: number, limits: { bytes: number; ms: number }): boolean {
  if (!waits || moved - mark.moved >= limits.bytes) {
    mark.atMs = nowMs;
    mark.moved = moved;
    return false;
  }
  return nowMs - mark.atMs >= limits.ms;
}

interface Watched<T> {
  readonly which: T;
  readonly mark: Mark;
}

const LOOKS_PER_WINDOW = 4;

/**
 * Cuts off clients that send their body, or read their answer, by the drop. Node's own time limits end a request that never ends; they do
 * not see one byte every few seconds. One timer looks at all connections: the path of a request pays nothing for it.
 */
export class ClientProgress {
  private readonly limits: { bytes: number; ms: number };
  private readonly sockets = new TransientMap<number, Watched<Socket>>();
  private readonly bodies = new TransientMap<number, Watched<RequestBody>>();
  private count = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(limits: Pick<GatewayLimits, "progressBytes" | "progressMs">) {
    this.limits = { bytes: limits.progressBytes, ms: limits.progressMs };
  }

  start(): void {
    this.timer = setInterval(() => this.look(Date.now()), Math.max(1, this.limits.ms / LOOKS_PER_WINDOW));
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  watchSocket(socket: Socket): void {
    const number = ++this.count;
    this.sockets.set(number, { which: socket, mark: { atMs: Date.now(), moved: 0 } });
    socket.on("close", () => this.sockets.delete(number));
  }

  *connections(): Generator<Socket, void, void> {
    for (const { which } of this.sockets.values()) yield which;
  }

  /** Until it ends: a body that is kept keeps its request, and thousands of them come between two looks. */
  watchBody(body: RequestBody): void {
    if (body.over) return;
    const number = ++this.count;
    this.bodies.set(number, { which: body, mark: { atMs: Date.now(), moved: 0 } });
    body.onOver = () => this.bodies.delete(number);
  }

  get bodiesWatched(): number {
    return this.bodies.size;
  }

  private look(nowMs: number): void {
    for (const { which: body, mark } of this.bodies.values()) {
      if (isStalled(mark, body.receivedBytes, body.waitsForClient, nowMs, this.limits)) {
        body.fail(new MillraceError("request_timeout", `the request body came too slowly, or not at all, for ${this.limits.ms} ms`));
      }
    }
    for (const { which: socket, mark } of this.sockets.values()) {
      const unsentBytes = socket.writableLength;
      if (isStalled(mark, socket.bytesWritten - unsentBytes, unsentBytes > 0, nowMs, this.limits)) socket.destroy();
    }
  }
}
