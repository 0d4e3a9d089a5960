import { connect, type Socket } from "node:net";

/** A client that speaks bytes: for all that a well-behaved one would not do. */
export class RawClient {
  readonly socket: Socket;
  private received = "";
  private closed = false;
  private wake = (): void => {};

  constructor(port: number) {
    this.socket = connect({ host: "127.0.0.1", port });
    this.socket.setEncoding("latin1");
    this.socket.on("data", (text: string) => {
      this.received += text;
      this.wake();
    });
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.closed = true;
      this.wake();
    });
  }

  send(...lines: readonly string[]): void {
    this.socket.write(lines.join("\r\n"), "latin1");
  }

  /** All that came, once it holds `text`. */
  async until(text: string): Promise<string> {
    while (!this.received.includes(text)) {
      if (this.closed) throw new Error(`the connection ended before ${JSON.stringify(text)} came: ${this.received}`);
      await this.change();
    }
    return this.received;
  }

  /** All that came before the connection ended. */
  async end(): Promise<string> {
    while (!this.closed) await this.change();
    return this.received;
  }

  leave(): void {
    this.socket.destroy();
  }

  private change(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }
}
