import { connect } from "node:net";

/** One request on a fresh connection, the whole answer in hand; how many milliseconds that took. Rejects unless it is a 200. */
export async function firstAnswer(port: number, path: string): Promise<number> {
  const startMs = performance.now();
  const text = await ask(port, path);
  const tookMs = performance.now() - startMs;
  if (!text.startsWith("HTTP/1.1 200")) throw new Error(`${path} answered ${text.slice(0, 200)}`);
  return tookMs;
}

/** Asks again and again, as soon as may be, until somebody listens there and answers. */
export async function answerOfNewcomer(port: number, path: string, limitMs = 20_000): Promise<void> {
  const until = performance.now() + limitMs;
  for (;;) {
    const text = await ask(port, path).catch(() => "");
    if (text.startsWith("HTTP/1.1 200")) return;
    if (performance.now() > until) throw new Error(`nobody answered at ${port} within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** A raw socket: the client must not cost more than what it measures. */
function ask(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.setNoDelay(true);
    socket.setEncoding("latin1");
    let text = "";
    socket.on("data", (piece: string) => (text += piece));
    socket.on("end", () => resolve(text));
    socket.on("error", reject);
    socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: close\r\n\r\n`);
  });
}
