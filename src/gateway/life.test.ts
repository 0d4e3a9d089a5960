import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { silentObserver } from "../core/index.ts";
import { Gateway } from "./gateway.ts";
import { isLoopback } from "../core/loopback.ts";
import { gateways } from "./testing-support/gateway-under-test.ts";
import { releaseOf } from "./testing-support/release.ts";
import { answered, ScriptedDelivery } from "./testing-support/scripted-delivery.ts";

const start = gateways();

describe("the gateway's life", () => {
  it("G27: a port that is taken", async () => {
    const { port } = await start();
    await expect(start({ port })).rejects.toMatchObject({
      code: "port_in_use",
      message: `the gateway cannot listen on 127.0.0.1:${port}: something else does already`,
      cure: expect.stringContaining("--port"),
    });
  });

  it("G27: an address of another machine", async () => {
    await expect(start({ host: "192.0.2.1", token: "t" })).rejects.toMatchObject({ code: "bad_config" });
  });

  it.each(["0.0.0.0", "::", "192.0.2.1", "example.org"])("G27: %s without a token is refused", async (host) => {
    await expect(start({ host })).rejects.toMatchObject({ code: "open_door", cure: expect.stringContaining("--events-token") });
  });

  it("G27: with a token a door may be open to all", async () => {
    const { port } = await start({ host: "0.0.0.0", token: "t" });
    expect((await fetch(`http://127.0.0.1:${port}/fn/`)).status).toBe(200);
  });

  it.each([
    ["127.0.0.1", true],
    ["127.9.9.9", true],
    ["localhost", true],
    ["::1", true],
    ["[::1]", true],
    ["::ffff:127.0.0.1", true],
    ["0.0.0.0", false],
    ["::", false],
    ["128.0.0.1", false],
    ["127.example.org", false],
    ["localhost.example.org", false],
    ["", false],
  ])("G27: whether %s is loopback", (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });

  it("G6: a release is swapped whole, or not at all", async () => {
    const { gateway, url } = await start({}, releaseOf({ "GET /a": "a" }));
    expect(() => gateway.use(releaseOf({ "GET /b": "b", "GET /c/:x": "c", "GET /c/:y": "d" }))).toThrow("/c/:y");
    expect((await fetch(`${url}/a`)).status).toBe(200);
    expect((await fetch(`${url}/b`)).status).toBe(404);
    gateway.use(releaseOf({ "GET /b": "b" }));
    expect((await fetch(`${url}/a`)).status).toBe(404);
    expect((await fetch(`${url}/b`)).status).toBe(200);
  });

  it("G29: before the first release everything is 503, events too", async () => {
    const { gateway, delivery, url } = await start({}, null);
    for (const path of ["/", "/_/events"]) {
      const answer = await fetch(url + path, { method: "POST" });
      expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
      expect(await answer.json()).toMatchObject({ error: { message: "the app is not loaded yet" } });
    }
    expect(delivery.ingested).toEqual([]);
    gateway.use(releaseOf({ "GET /": "home" }));
    expect((await fetch(url)).status).toBe(200);
  });

  it("has no address before it listens", async () => {
    const options = { runs: null, delivery: new ScriptedDelivery(), observer: silentObserver, host: "::1", port: 0, token: null };
    const gateway = new Gateway(options);
    expect(gateway.address).toBeNull();
    await gateway.start();
    expect(gateway.address?.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    await gateway.stop();
  });

  it("G28: lets calls in flight end, and closes idle connections at once", async () => {
    const { gateway, delivery, raw } = await start();
    const release = Promise.withResolvers<void>();
    delivery.onHttp = async () => {
      await release.promise;
      return answered("finished");
    };
    const [idle, begun, busy] = [raw(), raw(), raw()];
    idle.send("GET /none HTTP/1.1", "Host: a", "", "");
    await idle.until("not_found");
    busy.send("GET /fn/ HTTP/1.1", "Host: a", "", "");
    await expect.poll(() => delivery.requests.length).toBe(1);
    const stopped = gateway.stop();
    await idle.end();
    expect(await begun.end()).toBe("");
    release.resolve();
    const answer = await busy.end();
    expect(answer).toContain("finished");
    expect(answer.toLowerCase()).toContain("connection: close");
    await stopped;
  });

  it("G28: a stream begun before the stop ends in peace, and its connection with it", async () => {
    const { gateway, delivery, raw } = await start();
    const release = Promise.withResolvers<void>();
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("first");
      await release.promise;
      yield Buffer.from("last");
    }
    delivery.onHttp = () => answered(body());
    const client = raw();
    client.send("GET /fn/ HTTP/1.1", "Host: a", "", "");
    await client.until("first");
    const stopped = gateway.stop();
    release.resolve();
    expect(await client.end()).toContain("last");
    await stopped;
  });

  it("G28: what does not end is ended", async () => {
    const { gateway, delivery, raw } = await start({ limits: { stopMs: 30 } });
    delivery.onHttp = () => new Promise(() => {});
    const client = raw();
    client.send("GET /fn/ HTTP/1.1", "Host: a", "", "");
    await expect.poll(() => delivery.requests.length).toBe(1);
    await gateway.stop();
    expect(await client.end()).toBe("");
    await expect.poll(() => delivery.request.signal?.aborted).toBe(true);
  });

  it("G28: stops once, whoever asks and however often, and even unstarted", async () => {
    const { gateway } = await start();
    await expect(Promise.all([gateway.stop(), gateway.stop()])).resolves.toHaveLength(2);
    const options = { runs: null, delivery: new ScriptedDelivery(), observer: silentObserver, host: "127.0.0.1", port: 0, token: null };
    await expect(new Gateway(options).stop()).resolves.toBeUndefined();
  });

  it("a gateway frees its port", async () => {
    const { gateway, port } = await start();
    await gateway.stop();
    const server: Server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    expect(server.listening).toBe(true);
    server.close();
  });
});

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What buffers hold that somebody still refers to. */
function heldBytes(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

describe("large bodies", () => {
  const MIB = 1024 ** 2;

  it("flow both ways at once in flat memory", async () => {
    const { delivery, url } = await start({ limits: { bodyBytes: 128 * MIB } });
    let mostBytes = 0;
    let sample = 0;
    async function* echo(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const piece of body) {
        if (sample++ % 128 === 0) mostBytes = Math.max(mostBytes, heldBytes());
        yield piece;
      }
    }
    delivery.onHttp = ({ body }) => answered(echo(body as AsyncIterable<Uint8Array>));
    const before = heldBytes();
    let sentBytes = 0;
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new Uint8Array(64 * 1024));
        sentBytes += 64 * 1024;
        if (sentBytes >= 64 * MIB) controller.close();
      },
    });
    const answer = await fetch(`${url}/post`, { method: "POST", body: source, duplex: "half" });
    let receivedBytes = 0;
    for await (const piece of answer.body ?? []) receivedBytes += piece.length;
    expect(receivedBytes).toBe(64 * MIB);
    expect(mostBytes - before).toBeLessThan(32 * MIB);
  });

  it("a client that reads slowly holds back the function that writes", async () => {
    const { delivery, raw } = await start();
    let written = 0;
    async function* much(): AsyncGenerator<Uint8Array> {
      for (; written < 64 * MIB; written += 64 * 1024) yield new Uint8Array(64 * 1024);
    }
    delivery.onHttp = () => answered(much(), { headers: [] });
    const client = raw();
    client.socket.pause();
    client.send("GET /fn/ HTTP/1.1", "Host: a", "Connection: close", "", "");
    await expect.poll(() => written, { timeout: 5000 }).toBeGreaterThan(0);
    let before = -1;
    while (before !== written) {
      before = written;
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
    }
    expect(written).toBeLessThan(32 * MIB);
    let received = 0;
    client.socket.on("data", (text: string) => (received += text.length));
    client.socket.resume();
    await client.end();
    expect(received).toBeGreaterThan(64 * MIB);
  });
});
