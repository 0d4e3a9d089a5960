import type { FunctionStats } from "../delivery/delivery.ts";
import type { StartFailure } from "../pool/fleet.ts";
import type { PoolStats } from "../pool/pool.ts";
import type { FunctionManifest, Release } from "../protocol/manifest.ts";
import type { AttemptView, DeadView, DeliveryView, EventView } from "../store/store.ts";
import type { DeadLetter, DeliveryViewShape, EventShape, FunctionView, ReleaseView } from "./shapes.ts";

/** From what the rooms know to what the control door shows. */

export function showRelease(release: Release): ReleaseView {
  return { id: release.id, app: release.appDirectory, functions: release.manifest.functions.length };
}

/** Every function of the release, and those of which only deliveries are left. */
export function showFunctions(release: Release | null, stats: readonly FunctionStats[], pool: PoolStats): FunctionView[] {
  const manifests = new Map((release?.manifest.functions ?? []).map((manifest) => [manifest.name, manifest]));
  const left = stats.filter(({ fn, waiting, running, parked, dead }) => !manifests.has(fn) && waiting + running + parked + dead > 0);
  const names = [...manifests.keys(), ...left.map(({ fn }) => fn)].sort();
  const numbers = new Map(stats.map((each) => [each.fn, each]));
  const pooled = new Map(pool.functions.map((each) => [each.fn, each]));
  return names.map((name) => {
    const manifest = manifests.get(name);
    const of = numbers.get(name);
    const inPool = pooled.get(name);
    return {
      name,
      exists: manifest !== undefined,
      triggers: manifest?.triggers ?? [],
      options: manifest === undefined ? null : showOptions(manifest),
      waiting: of?.waiting ?? 0,
      running: of?.running ?? 0,
      parked: of?.parked ?? 0,
      dead: of?.dead ?? 0,
      instances: inPool?.instances ?? 0,
      coldStarts: inPool?.coldStarts ?? { count: 0, phases: null },
      startFailure: showStartFailure(inPool?.startFailure ?? null),
    };
  });
}

function showStartFailure(failure: StartFailure | null): FunctionView["startFailure"] {
  if (failure === null) return null;
  const { error, failures, retryAtMs } = failure;
  return { name: error.name, message: error.message, failures, retryAtMs };
}

function showOptions(manifest: FunctionManifest): FunctionView["options"] {
  const { exportName, file, key, onDead, retry, timeoutMs, memoryBytes, concurrency, instances, allow, network, flow = null } = manifest;
  return { exportName, file, key, onDead, retry, timeoutMs, memoryBytes, concurrency, instances, allow, network, flow };
}

export function showEvent(event: EventView): EventShape {
  const { seq, id, source, type, origin, hops, cause, receivedMs } = event;
  return {
    seq,
    id,
    source,
    type,
    origin,
    hops,
    cause,
    receivedMs,
    cloudEvent: JSON.parse(event.json),
    deliveries: event.deliveries.map(showDelivery),
  };
}

export function showDead(dead: DeadView): DeadLetter {
  return { ...showDelivery(dead), eventType: dead.eventType, cloudEvent: JSON.parse(dead.eventJson) };
}

/** Member by member: what a store keeps beside is not shown by accident. */
function showDelivery(delivery: DeliveryView): DeliveryViewShape {
  const { seq, event, fn, key, state, attempt, dueMs, settledMs } = delivery;
  return { seq, event, fn, key, state, attempt, dueMs, settledMs, errors: delivery.errors.map(showAttempt) };
}

export function showAttempt(failed: AttemptView): DeliveryViewShape["errors"][number] {
  const { attempt, invocation, startedMs, endedMs, name, message, stack } = failed;
  return { attempt, invocation, startedMs, endedMs, name, message, stack };
}
