import { describe, expect, it } from "vitest";
import type { Arrival, Member, MemberResult, NewEntry, NewRun, ReadyDelivery } from "../store.ts";
import { FlatReader, type Flat, putMember, putResult, takeMember, takeResult } from "./wire.ts";

const error = { name: "E", message: "m", stack: null };
const settle = { delivery: 9, attempt: 2, epoch: 3, invocation: "i", startedMs: 4 };

const entry: NewEntry = { pos: 3, verb: "rollback", name: "ü€😀", number: 2, phase: "attempt", attempt: 4, ranMs: 1.25, value: null };
const wait = { command: "wait a 1", topic: "t", value: "v", guarded: true, sinceSeq: null };
const change = { run: 4, epoch: 2, entries: [] };
const begun: NewRun = {
  id: "r",
  named: true,
  kind: "flow",
  release: "r1",
  seed: "s",
  parent: { run: 9, command: "call c 1" },
  deadlineMs: 8,
  waits: [wait],
  copies: { from: 3, beforePos: 7 },
};
const plainRun: NewRun = { ...begun, named: false, kind: "fn", parent: null, deadlineMs: null, waits: [] };
const from = { id: "e", source: "s", type: "t", json: "{}", origin: "platform", hops: 0, cause: null, dedupe: false } as const;

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
    run: {
      ...change,
      entries: [entry, { ...entry, pos: 4, value: `"x"` }],
      waits: [wait, { ...wait, guarded: false, sinceSeq: 5 }],
      callbacks: [{ tokenHash: "h", command: "answer a 1" }],
      closed: ["wait b 1"],
      taken: [7, 8],
      release: "r2",
      from: 5,
      after: { pos: 4, atMs: 1 },
      move: { kind: "park", state: "rolling-back", dueMs: null, note: "n" },
    },
    arrivals: [{ run: 5, kind: "signal", command: "s", value: "1" }],
    callback: { tokenHash: "h", value: "{}" },
  },
  { id: "entries alone", nowMs: 1, run: { ...change, entries: [entry] } },
  { id: "retried", nowMs: 1, run: { ...change, move: { kind: "retry", dueMs: 5, error, attempt: 1, invocation: "i", startedMs: 3 } } },
  { id: "ended", nowMs: 1, run: { ...change, move: { kind: "end", state: "cancelled", value: null } } },
  { id: "arrivals", nowMs: 1, arrivals: [] },
  {
    id: "begins runs",
    nowMs: 1,
    events: [
      {
        ...from,
        deliveries: [
          { fn: "f", key: null, partition: 1, width: 1, run: begun },
          { fn: "g", key: "k", partition: 1, width: 1 },
          { fn: "h", key: null, partition: 1, width: 1, run: plainRun },
        ],
        waitKeys: [{ topic: "t", value: "v" }],
      },
      { ...from, deliveries: [] },
    ],
  },
];

const event = { seq: 1, json: "{}", type: "t", origin: "platform", hops: 0, receivedMs: 3 } as const;
const ready: ReadyDelivery = { seq: 7, fn: "f", key: "k", partition: 1, attempt: 0, ready: { dueMs: 1, pos: 2 }, event };
const arrivals: readonly Arrival[] = [{ id: 11, run: 4, kind: "child", command: "call c 1", value: "{}", atMs: 6 }];
const committed = { kind: "committed", events: [], promoted: [] } as const;

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
    promoted: [ready, { ...ready, run: "flow" }],
  },
  committed,
  { ...committed, events: [{ seq: 0, duplicate: true, deliveries: [], existing: 12 }] },
  { ...committed, atSeq: 0 },
  { ...committed, arrivals },
  { ...committed, woken: [{ ...ready, run: "flow" }] },
  { ...committed, callback: "late" },
  { ...committed, arrivals, woken: [{ ...ready, run: "fn" }, ready], atSeq: 13, callback: "taken" },
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

  it("says nothing of parts that are not there", () => {
    const flat: Flat = [];
    putMember(flat, { id: "m", nowMs: 1, run: { ...change, entries: [entry] } });
    putResult(flat, committed);
    const reader = new FlatReader(flat);
    expect(Object.keys(takeMember(reader).run ?? {})).toEqual(["run", "epoch", "entries"]);
    expect(Object.keys(takeResult(reader))).toEqual(["kind", "events", "promoted"]);
  });
});
