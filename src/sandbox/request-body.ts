/** The body of a request that arrives in pieces (F8): gives credit back for what the function has taken. */
export class RequestBody {
  private readonly pieces: Uint8Array<ArrayBuffer>[] = [];
  private readonly grant: (bytes: number) => void;
  private state: "open" | "ended" | "broken" = "open";
  private wanted: PromiseWithResolvers<void> | null = null;

  constructor(grant: (bytes: number) => void) {
    this.grant = grant;
  }

  push(bytes: Uint8Array, last: boolean, broken: boolean): void {
    if (this.state !== "open") return;
    // A copy: the bytes are a view into the receive buffer.
    if (bytes.length > 0) this.pieces.push(Uint8Array.from(bytes));
    if (broken) this.state = "broken";
    else if (last) this.state = "ended";
    this.wanted?.resolve();
    this.wanted = null;
  }

  /** The next piece; null at the end. Throws when the client broke off. */
  async next(): Promise<Uint8Array<ArrayBuffer> | null> {
    for (;;) {
      const piece = this.pieces.shift();
      if (piece !== undefined) {
        if (this.state === "open") this.grant(piece.length);
        return piece;
      }
      if (this.state === "ended") return null;
      if (this.state === "broken") throw new TypeError("the request's body broke off: the client went away before its end");
      this.wanted ??= Promise.withResolvers();
      await this.wanted.promise;
    }
  }
}
