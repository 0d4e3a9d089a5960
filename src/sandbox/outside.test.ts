import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { type AddressInfo, connect, createServer as createNetServer, Socket, type SocketConnectOpts } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Outside, watchSockets } from "./outside.ts";

/** Everything that came from the process under test. */
const came: string[] = [];
const server = createServer((message, response) => {
  came.push(message.url ?? "");
  response.end("here");
});
let port = 0;
beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

type Connect = (this: Socket, options: SocketConnectOpts) => Socket;
const connectNow = (): Connect => Reflect.get(Socket.prototype, "connect");
const usual = connectNow();
afterEach(() => {
  Reflect.set(Socket.prototype, "connect", usual);
});

/** Watched until it is open; the call that is asked for is `now.call`. */
function watched(): { readonly outside: Outside; readonly now: { call: number | null } } {
  const outside = new Outside();
  const now = { call: null as number | null };
  watchSockets(outside, () => now.call);
  return { outside, now };
}

/** Past the watch, there and back, twice: what had left before would have come before. */
async function exchange(): Promise<void> {
  for (let i = 0; i < 2; i++) {
    const socket = new Socket();
    Reflect.apply(usual, socket, [{ port, host: "127.0.0.1" }]);
    socket.end("GET /exchange HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    await once(socket.resume(), "close");
  }
}

describe("R11: the way out of an instance", () => {
  it("is open where nothing is ahead, and is not watched from then on", async () => {
    const { outside } = watched();
    expect(connectNow()).not.toBe(usual);
    expect(await (await fetch(`http://127.0.0.1:${port}/free`)).text()).toBe("here");
    expect(outside.isReached).toBe(true);
    outside.enter(1);
    outside.leave(1);
    connect(port, "127.0.0.1").destroy();
    expect(connectNow()).toBe(usual);
  });

  it("waits for all commits that anybody went ahead of, whatever the way: fetch, node:http, a bare socket that is written to", async () => {
    const { outside, now } = watched();
    outside.enter(1);
    outside.enter(2);
    now.call = 1;
    const fetched = fetch(`http://127.0.0.1:${port}/fetched`).then((response) => response.text());
    const requested = once(request(`http://127.0.0.1:${port}/requested`).end(), "response");
    const socket = connect(port, "127.0.0.1");
    socket.write("GET /bare HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    expect(socket.connecting).toBe(true);
    await exchange();
    outside.leave(1);
    await exchange();
    expect(came.filter((url) => /fetched|requested|bare/.test(url))).toEqual([]);
    expect([outside.isReached, outside.holds(1), outside.holds(2)]).toEqual([true, true, false]);
    outside.leave(2);
    expect(await fetched).toBe("here");
    await requested;
    expect(String((await once(socket, "data"))[0])).toContain("200 OK");
    expect(came.filter((url) => /fetched|requested|bare/.test(url)).sort()).toEqual(["/bare", "/fetched", "/requested"]);
  });

  it("is refused to a call that was given up, while it still does something; others are let through", async () => {
    const { outside, now } = watched();
    outside.enter(1);
    outside.enter(2);
    now.call = 1;
    // Another origin than before: there is no connection to it.
    const lost = fetch(`http://localhost:${port}/lost`).then(
      () => "came",
      (error: Error) => (error.cause as Error).message,
    );
    await exchange();
    outside.lose(1);
    expect(await lost).toContain("was given up");
    const late = connect(port, "127.0.0.1");
    expect(String((await once(late, "error"))[0])).toContain("was given up");
    outside.leave(2);
    now.call = 2;
    const other = connect(port, "127.0.0.1");
    await once(other, "connect");
    other.destroy();
    expect(came).not.toContain("/lost");
  });

  it("holds datagrams back too, and counts who listens as seen", async () => {
    const receiver = createSocket("udp4");
    receiver.bind(0, "127.0.0.1");
    await once(receiver, "listening");
    const got: string[] = [];
    receiver.on("message", (message) => got.push(String(message)));
    const { outside } = watched();
    outside.enter(1);
    const sender = createSocket("udp4");
    sender.send("hello", receiver.address().port, "127.0.0.1");
    await exchange();
    expect(got).toEqual([]);
    outside.leave(1);
    await expect.poll(() => got).toEqual(["hello"]);
    sender.close();
    receiver.close();

    const listening = watched();
    const listener = createNetServer().listen(0, "127.0.0.1");
    expect(listening.outside.isReached).toBe(true);
    listener.close();
    connect(port, "127.0.0.1").destroy();
  });

  it("a socket that is destroyed while it waits never connects", async () => {
    const { outside } = watched();
    outside.enter(1);
    const socket = connect(port, "127.0.0.1");
    socket.destroy();
    outside.leave(1);
    await exchange();
    expect(socket.destroyed).toBe(true);
    expect(socket.bytesWritten).toBe(0);
  });
});
