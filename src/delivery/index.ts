export type * from "./delivery.ts";
export { DEAD_TYPE } from "./dead-letter.ts";
export { DeliveryEngine, type EngineOptions } from "./engine.ts";
export type { TimerEffects, TimerHandler } from "./timer-loop.ts";
