import { describe, expect, it } from "vitest";
import { VirtualClock } from "../core/index.ts";
import type { Store } from "../store/index.ts";
import { Retention } from "./retention.ts";

const HOUR_MS = 3_600_000;

type Ask = Parameters<Store["retain"]>;

interface Setting {
  readonly retention: Retention;
  readonly clock: VirtualClock;
  readonly asked: Ask[];
  readonly failures: string[];
}

function retaining(retain: (...ask: Ask) => ReturnType<Store["retain"]>): Setting {
  const clock = new VirtualClock(1000 * HOUR_MS);
  const asked: Ask[] = [];
  const failures: string[] = [];
  const store: Pick<Store, "retain"> = {
    retain: (...ask) => {
      asked.push(ask);
      return retain(...ask);
    },
  };
  const retention = new Retention({ store, clock, retentionMs: 24 * HOUR_MS, onFailure: ({ message }) => failures.push(message) });
  return { retention, clock, asked, failures };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const nothing = { events: 0, deliveries: 0, more: false };

describe("retention", () => {
  it("deletes what is older at the start and every hour, in small pieces until nothing is left", async () => {
    let pieces = 3;
    const { retention, clock, asked } = retaining(async () => ({ ...nothing, more: --pieces > 0 }));
    await retention.start();
    await clock.advanceTo(clock.now() + 2 * HOUR_MS, turn);
    expect(asked.map(([beforeMs, nowMs]) => [beforeMs / HOUR_MS, nowMs / HOUR_MS])).toEqual([
      [976, 1000],
      [976, 1000],
      [976, 1000],
      [977, 1001],
      [978, 1002],
    ]);
    await retention.stop();
  });

  it("a round that fails is told, and the next one comes", async () => {
    let rounds = 0;
    const { retention, clock, failures } = retaining(async () => {
      if (++rounds === 1) throw new Error("no space left");
      return nothing;
    });
    await retention.start();
    await clock.advanceTo(clock.now() + HOUR_MS, turn);
    expect({ rounds, failures }).toEqual({ rounds: 2, failures: ["no space left"] });
    await retention.stop();
  });

  it("stops after the piece at hand, and no alarm is left", async () => {
    const piece = Promise.withResolvers<typeof nothing>();
    const { retention, clock, asked } = retaining(() => piece.promise);
    await retention.start();
    const stopped = retention.stop();
    piece.resolve({ ...nothing, more: true });
    await stopped;
    expect(asked).toHaveLength(1);
    expect(clock.nextAlarmMs()).toBeUndefined();
    await retention.stop();
  });
});
