import { toError } from "../core/index.ts";
import { errorText } from "../delivery/error-text.ts";
import type { MockedOutcome, MockedStep } from "../pool/pool.ts";
import { toValueText } from "../protocol/value-text.ts";
import type { RunHooks } from "../runs/run-driven.ts";
import { textOf } from "./test-run.ts";

/** What plays a step's part: it gets the attempt, and its result or error is the step's. */
export type StepMock = (step: { readonly number: number; readonly attempt: number }) => unknown;

/** Of each flow, by the name of its step. */
export type StepMocks = Readonly<Record<string, Readonly<Record<string, StepMock>>>>;

/** What a test has said of how runs shall go. */
export class RunScript implements RunHooks {
  private readonly mocks: StepMocks;
  private readonly kills = new Map<string, number>();

  constructor(mocks: StepMocks) {
    this.mocks = mocks;
  }

  /** Once, for each time this is called. */
  crashAfter(flow: string, step: string): void {
    const key = `${flow} ${step}`;
    this.kills.set(key, (this.kills.get(key) ?? 0) + 1);
  }

  readonly mocked = (flow: string): readonly string[] => Object.keys(this.mocks[flow] ?? {});

  readonly mock = async (flow: string, { name, number, attempt }: MockedStep): Promise<MockedOutcome> => {
    try {
      return { ok: true, value: textOf(await this.mocks[flow]?.[name]?.({ number, attempt })) };
    } catch (thrown) {
      const error = toError(thrown);
      const made = toValueText(error);
      return { ok: false, value: made.ok ? made.text : errorText({ name: error.name, message: error.message, stack: null }) };
    }
  };

  readonly killsAfter = (flow: string, step: string): boolean => {
    const key = `${flow} ${step}`;
    const left = this.kills.get(key) ?? 0;
    if (left > 0) this.kills.set(key, left - 1);
    return left > 0;
  };
}
