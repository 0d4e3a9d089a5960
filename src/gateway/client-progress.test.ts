import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { ClientProgress, isStalled, type Mark } from "./client-progress.ts";
import { RequestBody } from "./request-body.ts";

const LIMITS = { bytes: 100, ms: 1000 };

/** Looks at a client at these moments; says at which one it is found stalled. */
function stalledAt(looks: readonly { atMs: number; moved: number; waits: boolean }[]): number | null {
  const mark: Mark = { atMs: 0, moved: 0 };
  for (const { atMs, moved, waits } of looks) if (isStalled(mark, moved, waits, atMs, LIMITS)) return atMs;
  return null;
}

describe("G12: whether a client is stalled", () => {
  it.each([
    ["one that moves nothing", [500, 999, 1000].map((atMs) => ({ atMs, moved: 0, waits: true })), 1000],
    ["one that moves too little", [500, 1000].map((atMs) => ({ atMs, moved: atMs / 20, waits: true })), 1000],
    ["one that moves just enough", [500, 1000, 1500, 2000, 5000].map((atMs) => ({ atMs, moved: atMs / 5, waits: true })), null],
    ["one nobody waits for", [500, 1000, 9000].map((atMs) => ({ atMs, moved: 0, waits: false })), null],
    [
      "the time begins when the wait does",
      [
        { atMs: 5000, moved: 0, waits: false },
        { atMs: 5500, moved: 0, waits: true },
        { atMs: 6000, moved: 0, waits: true },
      ],
      6000,
    ],
    [
      "and anew with each progress",
      [
        { atMs: 900, moved: 100, waits: true },
        { atMs: 1800, moved: 150, waits: true },
        { atMs: 1900, moved: 199, waits: true },
      ],
      1900,
    ],
  ])("%s", (_what, looks, wanted) => {
    expect(stalledAt(looks)).toBe(wanted);
  });
});

describe("G12: bodies that are watched", () => {
  it("are let go of as they end, not at the next look", async () => {
    const progress = new ClientProgress({ progressBytes: LIMITS.bytes, progressMs: LIMITS.ms });
    const watched: number[] = [];
    const server = createServer((incoming, response) => {
      const body = new RequestBody(incoming, 1000);
      body.begin();
      progress.watchBody(body);
      watched.push(progress.bodiesWatched);
      incoming.on("close", () => response.end());
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    for (let i = 0; i < 3; i++)
      await new Promise((resolve, reject) => {
        request({ port, host: "127.0.0.1", method: "POST" }, (answer) => answer.resume().on("end", resolve))
          .on("error", reject)
          .end("text");
      });
    expect(watched).toEqual([1, 1, 1]);
    expect(progress.bodiesWatched).toBe(0);
  });
});
