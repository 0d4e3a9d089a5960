import type { HttpHead } from "../../protocol/messages.ts";
import { VALUE_CONTENT_TYPE } from "../../protocol/journal.ts";
import { fromValueText } from "../../protocol/value-text.ts";
import type { Params } from "../context.ts";
import { LazyRequest } from "../lazy-request.ts";

const NO_PARAMS: Params = Object.freeze({});

/** A request as the event that began its run keeps it. */
interface KeptRequest extends HttpHead {
  readonly body: string | null;
}

/** What a flow's handler gets first: its event, or the request that the event keeps. */
export function runInput(event: unknown, http: boolean): { readonly value: unknown; readonly params: Params } {
  if (!isRecord(event)) return { value: event, params: NO_PARAMS };
  const { data } = event;
  if (http && isRecord(data)) {
    const { body, ...head } = data as unknown as KeptRequest;
    const bytes = body === null ? null : Uint8Array.from(Buffer.from(body, "base64"));
    let never: AbortSignal | null = null;
    return { value: new LazyRequest(head, bytes, () => (never ??= new AbortController().signal)), params: head.params };
  }
  // What JSON does not carry was kept as text.
  if (event["datacontenttype"] === VALUE_CONTENT_TYPE && typeof data === "string")
    return { value: { ...event, data: fromValueText(data) }, params: NO_PARAMS };
  return { value: event, params: NO_PARAMS };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
