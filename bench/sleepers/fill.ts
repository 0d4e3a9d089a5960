import { openSqliteStore, type Store } from "../../src/store/index.ts";
import type { Member, NewEvent } from "../../src/store/store.ts";

/** How many members are on their way at once: the store makes few transactions of them. */
const AT_ONCE = 2000;

export interface Filling {
  readonly directory: string;
  readonly release: string;
  readonly runs: number;
  /** The number of the first. */
  readonly first: number;
  /** So many of them are due at this moment, the others in a year. */
  readonly dueRuns: number;
  readonly dueMs: number;
}

/** Lays runs into a store as a node would have left them: begun by their events, asleep, with their journals. */
export async function fill({ directory, release, runs, first, dueRuns, dueMs }: Filling): Promise<void> {
  const store = await openSqliteStore({ directory });
  try {
    const { epoch } = await store.acquire("filler");
    const nowMs = Date.now();
    for (let from = 0; from < runs; from += AT_ONCE) {
      const count = Math.min(AT_ONCE, runs - from);
      await Promise.all(
        Array.from({ length: count }, async (_, i) => {
          const number = first + from + i;
          const untilMs = number - first < dueRuns ? dueMs : nowMs + YEAR_MS;
          await asleep(store, { number, untilMs, nowMs, release, epoch });
        }),
      );
    }
  } finally {
    await store.close();
  }
}

const YEAR_MS = 365 * 24 * 3_600_000;

async function asleep(
  store: Store,
  { number, untilMs, nowMs, release, epoch }: { number: number; untilMs: number; nowMs: number; release: string; epoch: number },
): Promise<void> {
  const id = `sleeper-${number}`;
  const begun = await store.commit({ id, nowMs, events: [beginning(id, untilMs, release)] });
  const run = begun.kind === "committed" ? begun.events[0]?.deliveries[0]?.seq : undefined;
  if (run === undefined) throw new Error(`a run could not be begun: ${begun.kind}`);
  const opened = {
    pos: 1,
    verb: "sleep",
    name: "night",
    number: 1,
    phase: "opened",
    attempt: 0,
    ranMs: 0,
    value: `{"dueMs":${untilMs}}`,
  } as const;
  const member: Member = {
    id: `${id}/1`,
    nowMs,
    run: { run, epoch, entries: [opened], move: { kind: "park", state: "sleeping", dueMs: untilMs, note: null } },
  };
  const parked = await store.commit(member);
  if (parked.kind !== "committed") throw new Error(`a run could not be put to sleep: ${parked.kind}`);
}

function beginning(id: string, untilMs: number, release: string): NewEvent {
  const event = { specversion: "1.0", id, source: "/bench", type: "sleeper", data: { until: untilMs } };
  return {
    id,
    source: event.source,
    type: event.type,
    json: JSON.stringify(event),
    origin: "outside",
    hops: 0,
    cause: null,
    dedupe: false,
    deliveries: [
      {
        fn: "sleeper",
        key: null,
        partition: 0,
        width: 1,
        run: { id, named: false, kind: "flow", release, seed: "c2VlZA", parent: null, deadlineMs: null, waits: [] },
      },
    ],
  };
}
