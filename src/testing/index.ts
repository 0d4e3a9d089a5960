export type { CloudEvent } from "../sdk/cloud-event.ts";
export type { StepMock, StepMocks } from "./run-script.ts";
export type { TestEntry, TestRun } from "./test-run.ts";
export { testApp, type TestApp, type TestEmit, type TestKv, type TestOptions } from "./test-app.ts";
