import { connect, type Socket } from "node:net";
import { type Answer, Answers } from "../answers.ts";

/**
 * Posts to one port over keep-alive connections, of which there are as many as requests were in flight at once. Raw sockets: the load is
 * made on the same cores as what it measures.
 */
export class KeepAlive {
  private readonly port: number;
  private readonly idle: Connection[] = [];

  constructor(port: number) {
    this.port = port;
  }

  /** The body of a 200; anything else rejects. */
  async post(path: string, json: string): Promise<string> {
    const connection = this.openOne() ?? new Connection(this.port);
    const { status, body } = await connection.ask(
      `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${this.port}\r\ncontent-type: application/json\r\ncontent-length: ${json.length}\r\n\r\n${json}`,
    );
    this.idle.push(connection);
    if (status !== 200) throw new Error(`${path} answered ${status}: ${body}`);
    return body;
  }

  close(): void {
    for (const connection of this.idle.splice(0)) connection.close();
  }

  /** Servers close connections that nobody has used for seconds, as happens while another contender has its turn. */
  private openOne(): Connection | undefined {
    for (;;) {
      const connection = this.idle.pop();
      if (connection === undefined || connection.isOpen) return connection;
    }
  }
}

class Connection {
  private readonly socket: Socket;
  private readonly answers: Answers;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.setNoDelay(true);
    this.answers = new Answers(this.socket);
  }

  get isOpen(): boolean {
    return this.socket.writable;
  }

  ask(request: string): Promise<Answer> {
    this.socket.write(request);
    return this.answers.next();
  }

  close(): void {
    this.socket.end();
  }
}
