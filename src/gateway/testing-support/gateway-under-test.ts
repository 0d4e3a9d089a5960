import { afterEach } from "vitest";
import { silentObserver } from "../../core/index.ts";
import type { Release } from "../../protocol/index.ts";
import { Gateway, type GatewayOptions } from "../gateway.ts";
import { RawClient } from "./raw-client.ts";
import { releaseOf } from "./release.ts";
import { ScriptedDelivery } from "./scripted-delivery.ts";

export interface UnderTest {
  readonly gateway: Gateway;
  readonly delivery: ScriptedDelivery;
  /** What was refused, as `door code`. */
  readonly refusals: readonly string[];
  readonly url: string;
  readonly port: number;
  readonly raw: () => RawClient;
}

const EVERYWHERE = { "ANY /fn/*": "everywhere", "GET /get/:id": "get", "POST /post": "post" };

/** Starts gateways on free ports for a test file, and stops each when its test ends. */
export function gateways(): (options?: Partial<GatewayOptions>, release?: Release | null) => Promise<UnderTest> {
  const open: { gateway: Gateway; clients: RawClient[] }[] = [];
  afterEach(async () => {
    for (const { gateway, clients } of open.splice(0)) {
      for (const client of clients) client.leave();
      await gateway.stop();
    }
  });
  return async (options = {}, release: Release | null = releaseOf(EVERYWHERE)) => {
    const delivery = new ScriptedDelivery();
    const refusals: string[] = [];
    const observer = { ...silentObserver, refused: (door: string, code: string): unknown => refusals.push(`${door} ${code}`) };
    const gateway = new Gateway({ delivery, runs: null, observer, host: "127.0.0.1", port: 0, token: null, ...options });
    const clients: RawClient[] = [];
    open.push({ gateway, clients });
    if (release !== null) gateway.use(release);
    await gateway.start();
    const { url = "", port = 0 } = gateway.address ?? {};
    const raw = (): RawClient => {
      const client = new RawClient(port);
      clients.push(client);
      return client;
    };
    return { gateway, delivery, refusals, url, port, raw };
  };
}
