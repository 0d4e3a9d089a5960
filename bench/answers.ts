import type { Socket } from "node:net";

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Reads the answers of one keep-alive connection, one at a time: status, content-length and body are all that matters to a benchmark. */
export class Answers {
  private text = "";
  private waiting: ((answer: Answer) => void) | null = null;
  private fail: ((error: Error) => void) | null = null;

  constructor(socket: Socket) {
    socket.setEncoding("latin1");
    socket.on("data", (piece: string) => {
      this.text += piece;
      this.read();
    });
    socket.on("error", (error) => this.fail?.(error));
    socket.on("close", () => this.fail?.(new Error("the server closed the connection")));
  }

  next(): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting = resolve;
      this.fail = reject;
      this.read();
    });
  }

  private read(): void {
    const end = this.text.indexOf("\r\n\r\n");
    if (end < 0 || this.waiting === null) return;
    const length = Number(/content-length: (\d+)/i.exec(this.text.slice(0, end))?.[1] ?? 0);
    const bodyAt = end + 4;
    if (this.text.length < bodyAt + length) return;
    const answer = { status: Number(this.text.slice(9, 12)), body: this.text.slice(bodyAt, bodyAt + length) };
    this.text = this.text.slice(bodyAt + length);
    const resolve = this.waiting;
    this.waiting = null;
    this.fail = null;
    resolve(answer);
  }
}
