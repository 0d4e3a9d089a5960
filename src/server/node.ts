import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Clock, MillraceError, newId, type Service, startAll, systemClock, toError } from "../core/index.ts";
import { Control } from "../control/index.ts";
import { DeliveryEngine } from "../delivery/index.ts";
import { Gateway } from "../gateway/index.ts";
import { InstancePool } from "../pool/index.ts";
import type { Release } from "../protocol/index.ts";
import { loadEnv, type LoadedApp, openRelease, ReleaseLoader } from "../releases/index.ts";
import type { RunHooks } from "../runs/run-driven.ts";
import { RunRoom } from "../runs/run-room.ts";
import { bundleRuntime } from "../sandbox/bundle-runtime.ts";
import { Schedules } from "../sources/index.ts";
import { openSqliteStore, type Store } from "../store/index.ts";
import { type LogSink, Logs, Metrics } from "../telemetry/index.ts";
import { announceNode, keepControlToken, keepRunSecret, withdrawNode } from "./data-directory.ts";
import { Retention } from "./retention.ts";
import type { Settings } from "./settings.ts";
import { VERSION } from "./version.ts";

export interface NodeOptions {
  readonly appDirectory: string;
  readonly settings: Settings;
  /** Tests bring their own time, chance and durability. */
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly durability?: "full" | "off";
  /** How long a call may wait for an instance. */
  readonly waitMs?: number;
  /** Called with every log line as it is written. */
  readonly onLog?: LogSink;
  /** Where a test has its hand in runs. */
  readonly runHooks?: RunHooks;
  /** The app will be loaded again and again. */
  readonly reloads?: boolean;
}

export interface NodeAddresses {
  readonly gateway: string;
  readonly control: string;
}

/** Everything a node is made of, put together. Use `createNode`. */
export class MillraceNode implements Service {
  readonly store: Store;
  readonly delivery: DeliveryEngine;
  readonly runs: RunRoom;
  readonly logs: Logs;
  readonly dataDirectory: string;
  private readonly options: NodeOptions;
  private readonly pool: InstancePool;
  private readonly gateway: Gateway;
  private readonly control: Control;
  private readonly schedules: Schedules;
  private readonly retention: Retention;
  private readonly loader: ReleaseLoader;
  private readonly startedMs: number;
  private release: Release | null = null;
  private serving = false;
  private stopping: Promise<void> | undefined;
  /** Reloads run one at a time, in the order in which they were asked for. */
  private lastReload: Promise<unknown> = Promise.resolve();

  constructor(
    options: NodeOptions,
    made: { store: Store; runtimeFile: string; controlToken: string; runSecret: string; dataDirectory: string },
  ) {
    const { settings } = options;
    const clock = options.clock ?? systemClock;
    const { store, dataDirectory } = made;
    const metrics = new Metrics(VERSION);
    this.options = options;
    this.store = store;
    this.dataDirectory = dataDirectory;
    this.startedMs = clock.now();
    this.logs = new Logs(store);
    if (options.onLog !== undefined) this.logs.addSink(options.onLog);
    this.pool = new InstancePool({
      dataDirectory,
      runtimeFile: made.runtimeFile,
      stopLimitMs: settings.graceMs,
      ...(options.waitMs === undefined ? {} : { waitMs: options.waitMs }),
      spares: { classes: settings.spares, perClass: 1 },
      prepareSpares: options.reloads !== true,
      describeAhead: options.reloads === true ? "always" : "once",
      ...(settings.memoryBytes === null ? {} : { budgetBytes: settings.memoryBytes }),
      ...(settings.wall === null ? {} : { wall: settings.wall }),
      onStrayLog: ({ fn, invocation, level, text, atMs }) =>
        this.logs.write({ fn: fn ?? "", invocation: invocation ?? "", level, text, atMs }),
      onColdStart: ({ fn, ...phases }) => metrics.coldStarted(fn, phases),
    });
    this.delivery = new DeliveryEngine({
      store,
      pool: this.pool,
      clock,
      observer: metrics,
      log: (line) => {
        metrics.logged(line.level);
        this.logs.write(line);
      },
      owner: newId(),
      hopLimit: settings.maxHops,
      ...(options.random === undefined ? {} : { random: options.random }),
    });
    this.schedules = new Schedules({ store, engine: this.delivery, clock });
    this.runs = new RunRoom({
      engine: this.delivery,
      store,
      pool: this.pool,
      secret: made.runSecret,
      publicUrl: () => settings.publicUrl ?? this.gateway.address?.url ?? "",
      openRelease: async (id) => {
        const env = await loadEnv(options.appDirectory);
        return await openRelease(dataDirectory, id, { appDirectory: options.appDirectory, env });
      },
      ...(options.runHooks === undefined ? {} : { hooks: options.runHooks }),
      loadAside: (appDirectory) => this.loader.loadAside(appDirectory),
    });
    this.gateway = new Gateway({
      delivery: this.delivery,
      runs: this.runs,
      observer: metrics,
      host: settings.host,
      port: settings.port,
      token: settings.eventsToken,
      limits: {
        bodyBytes: settings.maxBodyBytes,
        eventBytes: settings.maxEventBytes,
        batchBytes: settings.maxBatchBytes,
        stopMs: settings.graceMs,
      },
    });
    this.control = new Control({
      host: settings.controlHost,
      port: settings.controlPort,
      token: made.controlToken,
      tokenIsConfigured: settings.controlToken !== null,
      maxEventBytes: settings.maxEventBytes,
      clock,
      rooms: {
        node: this.facts(),
        delivery: this.delivery,
        runs: this.runs,
        store,
        pool: this.pool,
        logs: this.logs,
        metrics,
        observer: metrics,
      },
    });
    this.loader = new ReleaseLoader(
      options.appDirectory,
      dataDirectory,
      (directory, entries, context) => this.pool.describe(directory, entries, context),
      { ...options, compile: (directory) => this.pool.compile(directory), held: () => this.heldReleases() },
    );
    this.retention = new Retention({
      store,
      clock,
      retentionMs: settings.retentionMs,
      onFailure: (error) => this.note(`retention: ${error.message}`),
    });
    metrics.watch({ delivery: () => this.delivery.stats(), pool: () => this.pool.stats(), health: () => store.health() });
  }

  get addresses(): NodeAddresses {
    return { gateway: this.gateway.address?.url ?? "", control: this.control.address };
  }

  get liveRelease(): Release | null {
    return this.release;
  }

  /** Opens the doors. The app is loaded by `reload`: before or after, a door without a release answers 503. */
  async start(): Promise<void> {
    try {
      await startAll([this.pool, this.delivery, this.runs, this.retention, this.gateway, this.control]);
      await announceNode(this.dataDirectory, { ...this.addresses, pid: process.pid });
      this.serving = true;
    } catch (error) {
      await this.stop().catch(() => {});
      throw error;
    }
  }

  /** Makes a release of the app as it is now and swaps it in everywhere; an error leaves what was there. */
  reload(): Promise<LoadedApp> {
    const reloaded = this.lastReload.then(() => this.reloadNow());
    this.lastReload = reloaded.catch(() => {});
    return reloaded;
  }

  private async reloadNow(): Promise<LoadedApp> {
    const loaded = await this.loader.load();
    if (this.stopping !== undefined) throw new MillraceError("stopping", "the node is shutting down");
    try {
      await this.use(loaded.release);
    } catch (error) {
      await this.goBack();
      throw error;
    }
    this.release = loaded.release;
    return loaded;
  }

  /**
   * What is only memory changes at once, so that no call meets a release by half; the first two check routes, patterns and schemas
   * before they change anything. The schedules wait for the store.
   */
  private async use(release: Release): Promise<void> {
    this.gateway.use(release);
    await this.delivery.use(release);
    this.pool.use(release);
    await this.runs.use(release);
    await this.schedules.use(release.manifest);
  }

  /** Whoever has one of these needs its folder: live runs, and the node itself until another release has taken its place. */
  private async heldReleases(): Promise<ReadonlySet<string>> {
    const held = new Set((await this.store.runReleases()).map(({ release }) => release));
    if (this.release !== null) held.add(this.release.id);
    return held;
  }

  private async goBack(): Promise<void> {
    if (this.release === null) return;
    try {
      await this.use(this.release);
    } catch (error) {
      this.note(`the release before is back without its schedules: ${toError(error).message}`);
    }
  }

  /** Doors first, then what runs, then the store; a second call waits for the first. */
  stop(): Promise<void> {
    return (this.stopping ??= this.end());
  }

  private async end(): Promise<void> {
    this.serving = false;
    await inTurn([
      () => withdrawNode(this.dataDirectory),
      // Who waits for a run at the door is told that it goes on.
      () => this.runs.stop(),
      () => this.gateway.stop(),
      () => Promise.all([this.delivery.stop(), this.pool.stop(), this.retention.stop()]),
      () => this.control.stop(),
      () => this.loader.dispose(),
      async () => this.logs.flush(),
      () => this.store.close(),
    ]);
  }

  private facts(): ConstructorParameters<typeof Control>[0]["rooms"]["node"] {
    return {
      version: VERSION,
      startedMs: this.startedMs,
      dataDirectory: this.dataDirectory,
      gateway: () => this.gateway.address?.url ?? null,
      release: () => this.release,
      ready: () => this.serving && this.release !== null,
      reload: async () => (await this.reload()).release,
    };
  }

  private note(text: string): void {
    this.logs.write({ atMs: (this.options.clock ?? systemClock).now(), fn: "", invocation: "", level: "error", text });
  }
}

/** Every step, whatever failed before it: the directory's lock must go in the end. Then throws the first failure. */
async function inTurn(steps: readonly (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps) await step().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/**
 * A node over a data directory, not yet started. Rejects when the directory is another node's, cannot be written or is damaged.
 *
 * @example
 * const node = await createNode({ appDirectory: "shop", settings: resolveSettings({}, process.env) });
 * await node.start();
 * await node.reload();
 */
export async function createNode(options: NodeOptions): Promise<MillraceNode> {
  const dataDirectory = resolve(options.settings.data);
  const store = await openSqliteStore({ directory: dataDirectory, durability: options.durability ?? "full" });
  try {
    const runtimeFile = join(dataDirectory, "runtime", "runtime.cjs");
    await mkdir(join(dataDirectory, "runtime"), { recursive: true });
    await bundleRuntime(runtimeFile);
    const controlToken = await keepControlToken(dataDirectory, options.settings.controlToken);
    const runSecret = await keepRunSecret(dataDirectory);
    return new MillraceNode(options, { store, runtimeFile, controlToken, runSecret, dataDirectory });
  } catch (error) {
    await store.close();
    throw error instanceof MillraceError
      ? error
      : new MillraceError("data_unwritable", `${dataDirectory}: ${String(error)}`, { cause: error });
  }
}
