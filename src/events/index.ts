export { canonicalJson, MAX_DEPTH } from "./canonical-json.ts";
export { type CloudEvent, isReservedType, type ParsedEvent, parseCloudEvent } from "./cloud-event.ts";
export { type EventFault, faultText } from "./event-fault.ts";
export {
  type BadEvent,
  type Decoded,
  type DecodeLimits,
  decodeHttp,
  encodeBinaryBody,
  encodeBinaryHeaders,
  type EventHeaders,
  type IncomingEvent,
  type RefusalCode,
  type Refused,
} from "./http-binding.ts";
export { isTimestamp } from "./timestamp.ts";
export { compileSchema, type SchemaCheck } from "./schema.ts";
export type { SchemaIssue } from "./schema-words.ts";
