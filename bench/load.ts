import { connect, type Socket } from "node:net";
import { Answers } from "./answers.ts";

interface Load {
  readonly type: string;
  readonly batch: number;
  readonly connections: number;
  /** Ends after this many events, or this long. */
  readonly count?: number;
  readonly seconds?: number;
}

/**
 * Posts batches of CloudEvents over keep-alive connections, one request at a time on each. Raw sockets and one prepared text a batch:
 * the load must not cost more than what it measures. Resolves with the number of events that were answered with 202.
 */
export async function postBatches(port: number, load: Load): Promise<number> {
  const untilMs = load.seconds === undefined ? Infinity : performance.now() + load.seconds * 1000;
  const run = `${process.pid.toString(36)}-${Math.floor(performance.now()).toString(36)}`;
  let next = 0;
  let accepted = 0;
  const goesOn = (): boolean => performance.now() < untilMs && (load.count === undefined || next < load.count);
  const worker = async (): Promise<void> => {
    const socket = connect(port, "127.0.0.1");
    socket.setNoDelay(true);
    const answers = new Answers(socket);
    while (goesOn()) {
      const first = next;
      next += load.batch;
      socket.write(request(port, load, run, first));
      const { status } = await answers.next();
      if (status !== 202) throw new Error(`POST /_/events answered ${status}`);
      accepted += load.batch;
    }
    socket.end();
  };
  await Promise.all(Array.from({ length: load.connections }, worker));
  return accepted;
}

function request(port: number, { type, batch }: Load, run: string, first: number): string {
  const events: string[] = [];
  for (let i = first; i < first + batch; i++) {
    events.push(
      `{"specversion":"1.0","id":"${run}-${i}","source":"/bench","type":"${type}","time":"2026-01-01T00:00:00Z","datacontenttype":"application/json","data":{"order":"o-${i}","sku":"sku-${i % 1000}","qty":1,"note":"a small event of a common size"}}`,
    );
  }
  const body = `[${events.join(",")}]`;
  const head = `POST /_/events HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/cloudevents-batch+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return head + body;
}

/** One connection that posts single events in structured mode, each when the one before is acknowledged. */
export class EventSender {
  private readonly port: number;
  private readonly socket: Socket;
  private readonly answers: Answers;

  constructor(port: number) {
    this.port = port;
    this.socket = connect(port, "127.0.0.1");
    this.socket.setNoDelay(true);
    this.answers = new Answers(this.socket);
  }

  async send(json: string): Promise<void> {
    const head = `POST /_/events HTTP/1.1\r\nhost: 127.0.0.1:${this.port}\r\ncontent-type: application/cloudevents+json\r\ncontent-length: ${Buffer.byteLength(json)}\r\n\r\n`;
    this.socket.write(head + json);
    const { status } = await this.answers.next();
    if (status !== 202) throw new Error(`POST /_/events answered ${status}`);
  }

  close(): void {
    this.socket.end();
  }
}
