import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { VirtualClock } from "../../core/clock.ts";
import { type Observer, silentObserver } from "../../core/observer.ts";
import { canonicalJson, type CloudEvent } from "../../events/index.ts";
import type { Call, Outcome } from "../../pool/pool.ts";
import type { EventManifest, FunctionManifest } from "../../protocol/manifest.ts";
import { type LogLine, openSqliteStore } from "../../store/index.ts";
import type { HttpRequest, Ingested, IngestResult } from "../delivery.ts";
import { DeliveryEngine } from "../engine.ts";
import { FaultyStore } from "./faulty-store.ts";
import { releaseOf } from "./manifests.ts";
import { ScriptedPool } from "./scripted-pool.ts";

export type Script = (call: Call) => Promise<Outcome> | Outcome;

export interface Setting {
  readonly functions: readonly FunctionManifest[];
  readonly scripts?: Readonly<Record<string, Script>>;
  readonly events?: readonly EventManifest[];
  readonly hopLimit?: number;
  readonly observer?: Partial<Observer>;
  readonly room?: number;
  /** false: as after a start, before the app is loaded. */
  readonly loaded?: boolean;
}

/** An engine over the real store in a folder of its own, with functions and a clock that are the test's. */
export class EngineUnderTest {
  readonly clock = new VirtualClock();
  readonly logs: LogLine[] = [];
  readonly scripts: Record<string, Script>;
  pool: ScriptedPool;
  store!: FaultyStore;
  engine!: DeliveryEngine;
  private readonly setting: Setting;
  private readonly directory: string;

  static async start(setting: Setting): Promise<EngineUnderTest> {
    const made = new EngineUnderTest(setting, await mkdtemp(join(tmpdir(), "millrace-delivery-")));
    await made.begin(setting.loaded ?? true);
    onTestFinished(() => made.end());
    return made;
  }

  private constructor(setting: Setting, directory: string) {
    this.setting = setting;
    this.directory = directory;
    this.scripts = { ...setting.scripts };
    this.pool = this.newPool();
  }

  private newPool(): ScriptedPool {
    return new ScriptedPool(async (call) => {
      const script = this.scripts[call.fn];
      if (script === undefined) throw new Error(`no script for ${call.fn}`);
      return script(call);
    }, this.setting.room);
  }

  private async begin(loaded: boolean): Promise<void> {
    const { hopLimit, observer } = this.setting;
    const store = await openSqliteStore({ directory: this.directory, durability: "off" });
    this.store = new FaultyStore(store);
    this.engine = new DeliveryEngine({
      store: this.store,
      pool: this.pool,
      clock: this.clock,
      observer: { ...silentObserver, ...observer },
      log: (line) => this.logs.push(line),
      owner: "test",
      random: () => 0.5,
      ...(hopLimit === undefined ? {} : { hopLimit }),
    });
    await this.engine.start();
    if (loaded) await this.use(...this.setting.functions);
  }

  use(...functions: readonly FunctionManifest[]): Promise<void> {
    const release = releaseOf(functions);
    return this.engine.use({ ...release, manifest: { functions, events: this.setting.events ?? [] } });
  }

  /** As after a kill: whatever ran is never heard of again. `meanwhileMs` passes before the node is back. */
  async restart({ meanwhileMs = 0, loaded = true } = {}): Promise<void> {
    this.pool.kill();
    void this.engine.stop();
    await this.store.close();
    await this.clock.advanceTo(this.clock.now() + meanwhileMs, async () => {});
    this.pool = this.newPool();
    await this.begin(loaded);
  }

  advance(ms: number): Promise<void> {
    return this.clock.advanceTo(this.clock.now() + ms, () => this.engine.settled());
  }

  /** Events that must be taken. */
  async emit(...events: readonly Ingested[]): Promise<Extract<IngestResult, { kind: "accepted" }>["events"]> {
    const result = await this.engine.ingest(events);
    if (result.kind === "refused") throw result.error;
    return result.events;
  }

  /** Emits and waits until all that follows is done. */
  async emitAndSettle(...events: readonly Ingested[]): Promise<void> {
    await this.emit(...events);
    await this.engine.settled();
  }

  async number(key: string): Promise<number | null> {
    const [entry] = await this.store.kvGet([key], this.clock.now());
    return entry?.value.kind === "json" ? Number(entry.value.json) : null;
  }

  /** What the counters in memory say must be what the store counts. */
  async expectCountsToHold(): Promise<void> {
    const stored = (await this.store.counts()).map(({ fn, ready, blocked, dead }) => ({ fn, waiting: ready + blocked, dead }));
    const kept = this.engine.stats().functions.map(({ fn, waiting, dead }) => ({ fn, waiting, dead }));
    const busy = (count: { waiting: number; dead: number }): boolean => count.waiting + count.dead > 0;
    expect(sorted(kept.filter(busy))).toEqual(sorted(stored.filter(busy)));
  }

  private async end(): Promise<void> {
    this.store.failing = "nothing";
    this.pool.kill();
    void this.engine.stop();
    await this.store.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

function sorted<T extends { fn: string }>(counts: readonly T[]): readonly T[] {
  return [...counts].sort((a, b) => (a.fn < b.fn ? -1 : 1));
}

let lastId = 0;

export function event(type: string, data: unknown = {}, more: Partial<CloudEvent> & { readonly atMs?: number } = {}): Ingested {
  const { atMs, ...attributes } = more;
  const made: CloudEvent = {
    specversion: "1.0",
    id: `e${++lastId}`,
    source: "/test",
    type,
    datacontenttype: "application/json",
    ...attributes,
    data,
  };
  return { event: made, json: canonicalJson(made) ?? "", ...(atMs === undefined ? {} : { atMs }) };
}

export function request(fn: string, more: Partial<HttpRequest> & { readonly method?: string; readonly url?: string } = {}): HttpRequest {
  const { method = "POST", url = "http://localhost/", ...rest } = more;
  return { fn, head: { method, url, headers: [], params: {} }, body: null, idempotencyKey: null, signal: null, ...rest };
}
