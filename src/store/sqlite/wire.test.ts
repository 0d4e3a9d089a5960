import { describe, expect, it } from "vitest";
import type { Member, MemberResult } from "../store.ts";
import { FlatReader, type Flat, putMember, putResult, takeMember, takeResult } from "./wire.ts";

const error = { name: "E", message: "m", stack: null };
const settle = { delivery: 9, attempt: 2, epoch: 3, invocation: "i", startedMs: 4 };

const MEMBERS: readonly Member[] = [
  { id: "empty", nowMs: 1 },
  { id: "done", nowMs: 1, settle: { ...settle, outcome: { kind: "done" } } },
  { id: "retry", nowMs: 1, settle: { ...settle, outcome: { kind: "retry", dueMs: 5, error } } },
  { id: "postpone", nowMs: 1, settle: { ...settle, outcome: { kind: "postpone", dueMs: 5 } } },
  { id: "dead", nowMs: 1, settle: { ...settle, outcome: { kind: "dead", error: { ...error, stack: "s" }, hold: true } } },
  {
    id: "everything",
    nowMs: 1,
    settle: { ...settle, outcome: { kind: "done" } },
    fired: { name: "t", dueMs: 1, epoch: 2 },
    reads: {
      keys: new Map([
        ["a", 1],
        ["b", 0],
      ]),
      ranges: [{ prefix: "p", after: null, to: "q", digest: "d" }],
    },
    events: [
      {
        id: "e",
        source: "s",
        type: "t",
        json: "{}",
        origin: "function",
        hops: 2,
        cause: "c",
        dedupe: true,
        deliveries: [
          { fn: "f", key: null, partition: 1, width: 1 },
          { fn: "g", key: "", partition: 2, width: 3 },
        ],
      },
    ],
    kv: [
      { op: "delete", key: "a" },
      { op: "set", key: "b", value: { kind: "json", json: "null" }, expiresMs: null },
      { op: "set", key: "c", value: { kind: "bytes", bytes: new Uint8Array([1]) }, expiresMs: 7 },
    ],
    timers: [{ name: "n", kind: "k", partition: 1, dueMs: 2, payload: "p" }],
    cancelTimers: ["x", "y"],
    answer: { key: "k", fingerprint: "f", bytes: new Uint8Array([2]), expiresMs: 9 },
  },
];

const event = { seq: 1, json: "{}", type: "t", origin: "platform", hops: 0, receivedMs: 3 } as const;
const RESULTS: readonly MemberResult[] = [
  { kind: "fenced" },
  { kind: "conflict", keys: ["a", "p*"] },
  { kind: "clash", indexes: [0, 4] },
  { kind: "answered", answer: { key: "k", fingerprint: "f", bytes: new Uint8Array([3]) } },
  {
    kind: "committed",
    events: [
      { seq: 1, duplicate: true, deliveries: [] },
      {
        seq: 2,
        duplicate: false,
        deliveries: [
          { seq: 3, ready: null },
          { seq: 4, ready: { dueMs: 5, pos: 6 } },
        ],
      },
    ],
    promoted: [{ seq: 7, fn: "f", key: "k", partition: 1, attempt: 0, ready: { dueMs: 1, pos: 2 }, event }],
  },
];

describe("the wire", () => {
  it("carries every kind of member and result as it is", () => {
    const flat: Flat = [];
    for (const member of MEMBERS) putMember(flat, member);
    for (const result of RESULTS) putResult(flat, result);
    const reader = new FlatReader(structuredClone(flat));
    expect(MEMBERS.map(() => takeMember(reader))).toEqual(MEMBERS);
    expect(RESULTS.map(() => takeResult(reader))).toEqual(RESULTS);
  });
});
