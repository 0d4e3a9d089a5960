export type { CloudEvent } from "../sdk/cloud-event.ts";
export { testApp, type TestApp, type TestEmit, type TestKv, type TestOptions } from "./test-app.ts";
