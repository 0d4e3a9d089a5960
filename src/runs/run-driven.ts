import type { RunContext } from "../delivery/delivery-run.ts";
import type { FlowHost } from "../delivery/flow-runner.ts";
import type { MockedOutcome, MockedStep } from "../pool/pool.ts";
import type { FunctionManifest } from "../protocol/manifest.ts";
import type { OwnedRun, ReadyDelivery } from "../store/store.ts";
import type { RunJournal } from "./run-journal.ts";
import type { RunNews } from "./run-news.ts";

/** What a drive needs of the room. */
export interface DriveRoom {
  readonly host: FlowHost;
  /** The function as it is in a release; null: the release, or the function in it, is gone. */
  readonly functionOf: (release: string, fn: string) => Promise<FunctionManifest | null>;
  readonly urlOf: (run: string, command: string) => string;
  readonly tokenHashOf: (run: string, command: string) => string;
  readonly hooks: RunHooks;
}

/** Where a test has its hand in. */
export interface RunHooks {
  /** Steps of a flow that the test plays. */
  readonly mocked?: (flow: string) => readonly string[];
  readonly mock?: (flow: string, step: MockedStep) => Promise<MockedOutcome>;
  /** A step's completion is committed; true: its instance is to be killed now. */
  readonly killsAfter?: (flow: string, step: string) => boolean;
}

export type KnownRun = Omit<OwnedRun, "arrivals" | "journal">;

/** A run that is being driven, as all parts of its drive see it. */
export interface Driven {
  readonly entry: ReadyDelivery;
  readonly context: RunContext;
  readonly room: DriveRoom;
  readonly run: KnownRun;
  /** The flow as it is in the run's release. */
  readonly fn: FunctionManifest;
  readonly journal: RunJournal;
  readonly news: RunNews;
}

/** The type of the event by which an HTTP request begins a run. */
export const HTTP_TYPE = "millrace.http";
