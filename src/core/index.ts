export { type Alarm, type Clock, systemClock, VirtualClock } from "./clock.ts";
export { type Duration, formatDuration, parseDurationMs } from "./duration.ts";
export { ERROR_KINDS, type ErrorBody, type ErrorCode, type Fault, MillraceError, toError } from "./errors.ts";
export { newId, newSecret } from "./ids.ts";
export { LOG_LEVELS, type LogLevel } from "./log-level.ts";
export { didYouMean, nearMiss } from "./near-miss.ts";
export { type InvocationOutcome, type Observer, silentObserver } from "./observer.ts";
export { type Service, startAll } from "./service.ts";
export { formatSize, parseSizeBytes, type Size } from "./size.ts";
