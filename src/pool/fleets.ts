import { isDeepStrictEqual } from "node:util";
import type { FunctionError, FunctionManifest, Release } from "../protocol/index.ts";
import { errorOf, type Fleet } from "./fleet.ts";
import { RunTicket, type Ticket } from "./ticket.ts";

interface Kept {
  readonly release: Release;
  /** Of those of its functions that runs were called on. */
  readonly fleets: Map<string, Fleet>;
}

export type MakeFleet = (release: Release, fn: FunctionManifest, kept: boolean) => Fleet;

/** Which fleet a call goes to: those of the live release, and of the earlier ones that runs are still on. */
export class Fleets {
  private readonly make: MakeFleet;
  private release: Release | null = null;
  private live = new Map<string, Fleet>();
  private readonly kept = new Map<string, Kept>();
  /** They finish what they have. */
  private readonly draining = new Set<Fleet>();

  constructor(make: MakeFleet) {
    this.make = make;
  }

  /** Those that calls may come to. */
  get serving(): Fleet[] {
    const serving = [...this.live.values()];
    for (const { fleets } of this.kept.values()) serving.push(...fleets.values());
    return serving;
  }

  get leaving(): readonly Fleet[] {
    return [...this.draining];
  }

  get all(): Fleet[] {
    return [...this.serving, ...this.draining];
  }

  ofLive(fn: string): Fleet | undefined {
    return this.live.get(fn);
  }

  /** Undefined: there is no such release, or it has no such function. */
  at(fn: string, releaseId: string): Fleet | undefined {
    if (this.release?.id === releaseId) return this.live.get(fn);
    const kept = this.kept.get(releaseId);
    return kept === undefined ? undefined : this.ofKept(kept, fn);
  }

  /** Whoever takes calls of this function: the live release, else all that have it. */
  of(fn: string): Fleet[] {
    const live = this.live.get(fn);
    if (live !== undefined) return [live];
    return [...this.kept.values()].flatMap((kept) => this.ofKept(kept, fn) ?? []);
  }

  use(release: Release): void {
    const before = { release: this.release, live: this.live };
    const again = this.kept.get(release.id);
    this.release = release;
    this.live = new Map(release.manifest.functions.map((fn) => [fn.name, this.make(release, fn, false)]));
    const left = [...before.live.values(), ...(again?.fleets.values() ?? [])];
    again?.fleets.clear();
    const waiting = left.map((fleet) => this.leave(fleet));
    // Runs that wait are on the release before, whether or not anybody has said so yet.
    if (before.release !== null && waiting.flat().some((ticket) => ticket instanceof RunTicket)) this.keep(before.release);
    for (const [i, fleet] of left.entries()) for (const ticket of waiting[i] ?? []) this.moveOn(ticket, fleet);
    this.forgetIdle();
  }

  /** Runs may be called on it, now or when another one is live. */
  keep(release: Release): void {
    const before = this.kept.get(release.id);
    if (before !== undefined && isSame(before.release, release)) return;
    this.kept.set(release.id, { release, fleets: new Map() });
    for (const fleet of before?.fleets.values() ?? []) for (const ticket of this.leave(fleet)) this.moveOn(ticket, fleet);
  }

  /** Why there is no fleet. */
  missing(fn: string, releaseId: string): FunctionError {
    const known = this.release?.id === releaseId || this.kept.has(releaseId);
    const what = known
      ? `the release ${releaseId} has no function ${fn}`
      : `${fn} was to run on the release ${releaseId}, which is not here`;
    return errorOf("not_found", what);
  }

  /** Lets go of those that have nothing left to finish. */
  forgetEmpty(): void {
    for (const fleet of this.draining) if (fleet.instances.length === 0) this.draining.delete(fleet);
  }

  private ofKept({ release, fleets }: Kept, fn: string): Fleet | undefined {
    const known = fleets.get(fn);
    if (known !== undefined) return known;
    const manifest = release.manifest.functions.find(({ name }) => name === fn);
    if (manifest === undefined) return undefined;
    const made = this.make(release, manifest, true);
    fleets.set(fn, made);
    return made;
  }

  private leave(fleet: Fleet): Ticket[] {
    const waiting = fleet.takeWaiting();
    this.draining.add(fleet);
    fleet.close();
    return waiting;
  }

  /** A run stays on its release, everything else goes to the live one. */
  private moveOn(ticket: Ticket, from: Fleet): void {
    const { name } = from.fn;
    const releaseId = ticket instanceof RunTicket ? ticket.call.release : (this.release?.id ?? "");
    const next = this.at(name, releaseId);
    if (next !== undefined) next.adopt([ticket]);
    else from.refuseTickets([ticket], "load-failed", this.missing(name, releaseId));
  }

  private forgetIdle(): void {
    for (const { fleets } of this.kept.values()) for (const [fn, fleet] of fleets) if (fleet.isIdle) fleets.delete(fn);
  }
}

function isSame(a: Release, b: Release): boolean {
  return a.directory === b.directory && isDeepStrictEqual(a.env, b.env);
}
