import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Moods } from "./moods.ts";

export interface KeptMail {
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** Nobody lives there. */
export const UNKNOWN_MAILBOX = "nobody@example.org";

/** A mail server that keeps all mails and sends none (RFC 5321, as much as a client needs). A Message-ID that is there already is the same mail. */
export class MailSink implements AsyncDisposable {
  /** Mails that came again under their Message-ID. */
  repeated = 0;
  readonly port: number;
  private readonly kept = new Map<string, KeptMail>();
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;
  private readonly moods: Moods;

  private constructor(server: Server, moods: Moods) {
    const address = server.address();
    this.port = typeof address === "object" ? (address?.port ?? 0) : 0;
    this.server = server;
    this.moods = moods;
    server.on("connection", (socket: Socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
      // A client that goes away in the middle has sent nothing.
      this.talk(socket).catch(() => socket.destroy());
    });
  }

  static async start(moods: Moods, port = 0): Promise<MailSink> {
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    return new MailSink(server, moods);
  }

  mails(): readonly KeptMail[] {
    return [...this.kept.values()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, "close");
  }

  private async talk(socket: Socket): Promise<void> {
    const say = (text: string): unknown => socket.write(`${text}\r\n`);
    const mood = this.moods.mail();
    if (mood === "busy") {
      say("421 too busy");
      socket.end();
      return;
    }
    say("220 mail.example");
    let to = "";
    let message: string[] | null = null;
    for await (const line of createInterface({ input: socket })) {
      if (message !== null && line !== ".") message.push(line.startsWith(".") ? line.slice(1) : line);
      else if (message !== null) {
        if (mood !== "loses it") this.keep(to, message);
        message = null;
        if (mood === "hangs up") socket.destroy();
        else say(mood === "loses it" ? "451 try again later" : "250 kept");
      } else if (line.startsWith("EHLO")) say("250-mail.example\r\n250 8BITMIME");
      else if (line.startsWith("MAIL FROM:")) say("250 fine");
      else if (line.startsWith("RCPT TO:")) {
        to = /<(.*)>/.exec(line)?.[1] ?? "";
        say(to === UNKNOWN_MAILBOX ? "550 nobody lives here" : "250 fine");
      } else if (line === "DATA") {
        message = [];
        say("354 go on");
      } else if (line === "QUIT") say("221 goodbye");
      else say("500 what?");
    }
  }

  private keep(to: string, message: readonly string[]): void {
    const end = message.indexOf("");
    const header = (name: string): string =>
      message
        .slice(0, end)
        .find((line) => line.startsWith(`${name}: `))
        ?.slice(name.length + 2) ?? "";
    const id = header("Message-ID");
    if (this.kept.has(id)) this.repeated++;
    else this.kept.set(id, { id, to, subject: header("Subject"), text: message.slice(end + 1).join("\n") });
  }
}
