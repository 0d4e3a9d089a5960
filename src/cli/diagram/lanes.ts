/** Something that took its time. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** What overlaps, side by side; what follows each other, in one lane. */
export type Lanes<S> = readonly (readonly S[])[];

/**
 * A journal has whole milliseconds of when something was committed, and how long it ran: a step seems to begin up to one millisecond
 * before the one that it followed had ended.
 */
const SLACK_MS = 1;

/** Groups of what overlapped in time, one after the other. */
export function lanesOf<S extends Span>(spans: readonly S[]): readonly Lanes<S>[] {
  const groups: Group<S>[] = [];
  for (const span of inOrder(spans)) {
    const last = groups.at(-1);
    if (last !== undefined && span.startMs < last.endMs - SLACK_MS) last.add(span);
    else groups.push(new Group(span));
  }
  return groups.map(({ lanes }) => lanes);
}

/** In the order of their beginnings, as far as that is certain; else in the order in which they are given. */
function inOrder<S extends Span>(spans: readonly S[]): readonly S[] {
  const ordered: S[] = [];
  for (const span of spans) {
    let at = ordered.length;
    while (at > 0 && (ordered[at - 1]?.startMs ?? 0) - span.startMs > SLACK_MS) at--;
    ordered.splice(at, 0, span);
  }
  return ordered;
}

class Group<S extends Span> {
  readonly lanes: S[][];
  endMs: number;

  constructor(first: S) {
    this.lanes = [[first]];
    this.endMs = first.endMs;
  }

  add(span: S): void {
    const free = this.lanes.find((lane) => (lane.at(-1)?.endMs ?? 0) - SLACK_MS <= span.startMs);
    if (free === undefined) this.lanes.push([span]);
    else free.push(span);
    this.endMs = Math.max(this.endMs, span.endMs);
  }
}
