import type { NodeProcess } from "./node-process.ts";
import { pause } from "./node-process.ts";
import type { Found } from "./model.ts";

/** Reads off a node, through its doors, all that the model judges. */
export async function inspect(node: NodeProcess): Promise<Found> {
  return { kv: await readKv(node), dead: await readDead(node), log: await readLog(node) };
}

/** Resolves when nothing waits or runs, and nothing comes of it for longer than the app's delayed events take. */
export async function quiet(node: NodeProcess, limitMs = 60_000): Promise<void> {
  const QUIET_MS = 400;
  const until = Date.now() + limitMs;
  for (let sinceMs = Date.now(); Date.now() - sinceMs < QUIET_MS; await pause(25)) {
    const { deliveries } = (await node.controlJson("/v1/stats")) as { deliveries: { waiting: number; running: number } };
    if (deliveries.waiting + deliveries.running > 0) sinceMs = Date.now();
    if (Date.now() > until) throw new Error(`not settled after ${limitMs} ms: ${JSON.stringify(await node.controlJson("/v1/stats"))}`);
  }
}

async function readKv({ gateway }: NodeProcess): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  for (let after: string | undefined = ""; after !== undefined;) {
    const response = await fetch(`${gateway}/report${after === "" ? "" : `?after=${encodeURIComponent(after)}`}`);
    if (response.status !== 200) throw new Error(`/report answered ${response.status}: ${await response.text()}`);
    const page = (await response.json()) as { key: string; value: unknown }[];
    for (const { key, value } of page) found.set(key, value);
    after = page.at(-1)?.key;
  }
  return found;
}

interface Carried {
  readonly data: { readonly id: string };
}

async function readDead(node: NodeProcess): Promise<Found["dead"]> {
  const found: { fn: string; id: string }[] = [];
  for (let after: number | null = 0; after !== null;) {
    const page = (await node.controlJson(`/v1/dead?limit=1000&after=${after}`)) as DeadPage;
    for (const { fn, cloudEvent } of page.dead) found.push({ fn, id: cloudEvent.data.id });
    after = page.next;
  }
  return found;
}

interface DeadPage {
  readonly dead: readonly { readonly fn: string; readonly cloudEvent: Carried }[];
  readonly next: number | null;
}

async function readLog(node: NodeProcess): Promise<Found["log"]> {
  const found: { type: string; id: string }[] = [];
  for (let after: number | undefined = 0; after !== undefined;) {
    const { events } = (await node.controlJson(`/v1/events?limit=1000&after=${after}`)) as LogPage;
    for (const { type, cloudEvent } of events) found.push({ type, id: cloudEvent.data.id });
    after = events.at(-1)?.seq;
  }
  return found;
}

interface LogPage {
  readonly events: readonly { readonly seq: number; readonly type: string; readonly cloudEvent: Carried }[];
}
