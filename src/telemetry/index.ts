export { type LogFilter, Logs, type LogSink } from "./logs.ts";
export { Metrics } from "./metrics.ts";
