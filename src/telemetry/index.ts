export { type Followed, type LogFilter, Logs, type LogSink, matches } from "./logs.ts";
export { type MetricSources, Metrics } from "./metrics.ts";
