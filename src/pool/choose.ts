/** What the choice of an instance for a call rests on. */
export interface Candidate {
  readonly accepts: boolean;
  readonly running: number;
  /** Calls that it takes at once. */
  readonly callLimit: number;
  /** null: not known yet. */
  readonly utilisation: number | null;
}

/** Beyond this share of its time an event loop is no place for one more call while another has time. */
const BUSY_LOOP = 0.5;

/**
 * C1. A call goes to the least loaded of the instances that are at work, as long as one of them is at most half full and
 * its event loop has time: so the idle ones stay idle and can go.
 * C2. Else to an idle one; C3. else to the least loaded that has room. Ties go to the oldest.
 */
export function chooseInstance<C extends Candidate>(candidates: readonly C[]): C | null {
  let idle: C | null = null;
  let easy: C | null = null;
  let least: C | null = null;
  for (const candidate of candidates) {
    const { running, callLimit } = candidate;
    if (!candidate.accepts || running >= callLimit) continue;
    if (running === 0) idle ??= candidate;
    else {
      if (least === null || running < least.running) least = candidate;
      if (running * 2 <= callLimit && (candidate.utilisation ?? 0) < BUSY_LOOP && (easy === null || running < easy.running))
        easy = candidate;
    }
  }
  return easy ?? idle ?? least;
}
