export type { Duration } from "../core/duration.ts";
export type { Size } from "../core/size.ts";
export type { CloudEvent } from "./cloud-event.ts";
export type { Context, EmitOptions, Emitted, Kv, KvEntry, KvQuery, Log, Params } from "./context.ts";
export type { EventDefinition, EventPattern, FlowDefinition, FnDefinition, HttpTrigger, ScheduleTrigger, Trigger } from "./definition.ts";
export { event, type EventOf, type EventOptions } from "./event.ts";
export { fn, type FnOptions, type InstanceOptions, type RetryOptions } from "./fn.ts";
export {
  flow,
  type Callable,
  type Callback,
  type CalledFlowOptions,
  type CancelOn,
  type Flow,
  type FlowOptions,
  type MapOptions,
  type StartOptions,
  type StepOptions,
  type StepRetry,
  type Tx,
  type WaitOptions,
} from "./flow.ts";
export { Fatal } from "./fatal.ts";
export type { DeadDelivery, ScheduleTick } from "./platform-events.ts";
export { RetryAfter } from "./retry-after.ts";
export { RunCancelled } from "./run-cancelled.ts";
export type { StandardSchema } from "./standard-schema.ts";
export { StepError } from "./step-error.ts";
export { cron, every, http } from "./triggers.ts";
