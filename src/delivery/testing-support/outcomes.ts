import type { Call, HttpAnswer, Outcome } from "../../pool/pool.ts";
import type { CloudEvent } from "../../events/index.ts";
import type { Emit, FunctionError, KvEffect } from "../../protocol/messages.ts";

interface Did {
  readonly emits?: readonly Emit[];
  readonly kv?: readonly KvEffect[];
}

export function returned({ emits = [], kv = [] }: Did = {}): Outcome {
  return { kind: "returned", effects: { emits, kv }, response: null, ranMs: 1 };
}

export function answered(body: HttpAnswer["body"] | string, { emits = [], kv = [] }: Did = {}, discard: () => void = () => {}): Outcome {
  const response = {
    head: { status: 200, statusText: "", headers: [] },
    body: typeof body === "string" ? Buffer.from(body) : body,
    discard,
  };
  return { kind: "returned", effects: { emits, kv }, response, ranMs: 1 };
}

export function threw(message = "it broke", more: Partial<FunctionError> = {}): Outcome {
  return { kind: "threw", error: errorOf(message, more), ranMs: 1 };
}

export function crashed(blame: "guilty" | "suspect" | "bystander", more: Partial<FunctionError> = {}): Outcome {
  return { kind: "crashed", blame, error: errorOf("the instance is gone", more), ranMs: 1 };
}

export function notRun(reason: "load-failed" | "overloaded" | "stopping", more: Partial<FunctionError> = {}): Outcome {
  return { kind: "not-run", reason, error: errorOf(`not run: ${reason}`, more) };
}

function errorOf(message: string, more: Partial<FunctionError> = {}): FunctionError {
  return { name: "Error", message, stack: null, ...more };
}

export function eventOf<Data = unknown>(call: Call): CloudEvent<Data> {
  if (call.kind !== "event") throw new Error(`${call.fn} was called by HTTP`);
  return JSON.parse(call.eventJson) as CloudEvent<Data>;
}

/** A number that the call reads. */
export async function readNumber(call: Call, key: string): Promise<number> {
  const [value] = await call.kv.get([key]);
  return value !== null && value !== undefined && "json" in value ? Number(value.json) : 0;
}

export function setNumber(key: string, value: number): KvEffect {
  return { op: "set", key, json: String(value) };
}
