import type { Duration } from "../core/duration.ts";
import type { InvokeResult } from "../delivery/delivery.ts";
import type { CloudEvent } from "../events/index.ts";
import type { DeadView, DeliveryView, StoredLogLine } from "../store/store.ts";

/** What `testApp` starts: the app as a node would run it, with a clock that moves only by `advance`. */
export interface TestApp extends AsyncDisposable {
  /** The gateway's address, for tests that want to speak HTTP themselves. */
  readonly url: string;
  now(): Date;

  /** An event from outside, as through `POST /_/events`; resolves when it is durable. */
  emit(type: string, data?: unknown, options?: TestEmit): Promise<{ id: string; duplicate: boolean }>;
  /** An HTTP call through the gateway: `request("/orders", { method: "POST", body })`. */
  request(path: string, init?: RequestInit): Promise<Response>;
  /** Wakes one function alone and waits for its first attempt. */
  invoke(fn: string, data?: unknown): Promise<InvokeResult>;

  /** Resolves when nothing runs and nothing is due at the present time. */
  settled(): Promise<void>;
  /** Moves the clock, firing retries, schedules and delayed events in their order, each to its end. */
  advance(by: Duration): Promise<void>;

  /** All events so far, oldest first; `type` may hold `*`. */
  emitted(type?: string): Promise<readonly CloudEvent[]>;
  /** All deliveries so far, oldest first. */
  deliveries(fn?: string): Promise<readonly DeliveryView[]>;
  dead(fn?: string): Promise<readonly DeadView[]>;
  logs(fn?: string): Promise<readonly StoredLogLine[]>;
  readonly kv: TestKv;

  stop(): Promise<void>;
}

export interface TestEmit {
  readonly key?: string;
  readonly id?: string;
  readonly source?: string;
  readonly subject?: string;
  readonly after?: Duration;
  readonly at?: Date;
}

/** The app's kv store from outside: to prepare a test and to look at its result. */
export interface TestKv {
  get<T = unknown>(key: string): Promise<T | undefined>;
  set(key: string, value: unknown): Promise<void>;
  list(options?: { prefix?: string; after?: string; limit?: number }): Promise<readonly { key: string; value: unknown }[]>;
}
