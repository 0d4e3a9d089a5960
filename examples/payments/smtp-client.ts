import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";

export interface Mail {
  /** Sent again under the same id, it is the same mail. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** Refused: for good, and the server has not kept it. */
export type Sent = { readonly kind: "sent" } | { readonly kind: "refused"; readonly words: string };

const FROM = "shop@mill.example";

/** Hands a mail to a mail server (RFC 5321), without encryption: for one on the same machine. */
export async function sendMail(mail: Mail, port: number, signal: AbortSignal): Promise<Sent> {
  const socket = connect({ port, host: "127.0.0.1", signal });
  try {
    await once(socket, "connect");
    const talk = new SmtpTalk(socket);
    await talk.reply();
    await talk.say("EHLO mill.example");
    await talk.say(`MAIL FROM:<${FROM}>`);
    await talk.say(`RCPT TO:<${mail.to}>`);
    await talk.say("DATA");
    await talk.say(messageOf(mail));
    socket.end("QUIT\r\n");
    return { kind: "sent" };
  } catch (error) {
    if (error instanceof Refused) return { kind: "refused", words: error.message };
    throw error;
  } finally {
    socket.destroySoon();
  }
}

class Refused extends Error {}

class SmtpTalk {
  private readonly socket: Socket;
  private readonly lines: AsyncIterator<string>;

  constructor(socket: Socket) {
    this.socket = socket;
    // Whoever waits for a reply sees the error there; nobody else has to.
    socket.on("error", () => {});
    this.lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  async say(text: string): Promise<void> {
    this.socket.write(`${text}\r\n`);
    await this.reply();
  }

  /** 5xx is for good, 4xx for now; of several lines the last has no hyphen. */
  async reply(): Promise<void> {
    for (;;) {
      const { value, done } = await this.lines.next();
      if (done === true) throw new Error("the mail server has hung up");
      if (value.startsWith("5")) throw new Refused(value);
      if (value.startsWith("4")) throw new Error(value);
      if (value[3] !== "-") return;
    }
  }
}

/** A line that is only a dot would end the message: dots at the beginning of a line are doubled. */
function messageOf({ id, to, subject, text }: Mail): string {
  const headers = [`Message-ID: <${id}@mill.example>`, `From: <${FROM}>`, `To: <${to}>`, `Subject: ${subject}`];
  const lines = [...headers, "Content-Type: text/plain; charset=utf-8", "", ...text.split("\n")];
  return [...lines.map((line) => (line.startsWith(".") ? `.${line}` : line)), "."].join("\r\n");
}
