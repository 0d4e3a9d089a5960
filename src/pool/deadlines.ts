/**
 * One timer for all time limits, in slots of 50 ms: at 20,000 calls a second a setTimeout each cost 0.5 µs to make and
 * as much to cancel, while here both are a few pointer writes. What is due fires 0 to 50 ms late, never early.
 */

const SLOT_MS = 50;
const SLOTS = 512;

/** Something with a due time. It links itself into one wheel, and into that only once. */
export abstract class Deadline {
  dueAtMs = 0;
  before: Deadline | null = null;
  after: Deadline | null = null;
  abstract onDue(): void;
}

/** The head of a slot's ring. */
class Slot extends Deadline {
  override before: Deadline = this;
  override after: Deadline = this;
  onDue(): void {}
}

/** A deadline that calls back, for what is not hot. */
export class CallbackDeadline extends Deadline {
  private readonly callback: () => void;

  constructor(callback: () => void) {
    super();
    this.callback = callback;
  }

  onDue(): void {
    this.callback();
  }
}

export class Deadlines {
  private readonly slots = Array.from({ length: SLOTS }, () => new Slot());
  private readonly nowMs: () => number;
  private count = 0;
  private passedSlot = 0;
  /** The slot that the timer waits for: the first that holds anything, so that an idle node sleeps. */
  private armed: { readonly slot: number; readonly timer: NodeJS.Timeout } | null = null;

  constructor(nowMs: () => number = () => performance.now()) {
    this.nowMs = nowMs;
  }

  /** (Re)sets when it is due. */
  set(deadline: Deadline, dueAtMs: number): void {
    this.clear(deadline);
    if (this.count === 0) this.passedSlot = this.slotNow();
    deadline.dueAtMs = dueAtMs;
    // Never into a slot that has passed: it would wait for a whole turn.
    const number = Math.max(this.passedSlot + 1, Math.ceil(dueAtMs / SLOT_MS));
    const slot = this.slotAt(number);
    deadline.before = slot.before;
    deadline.after = slot;
    slot.before.after = deadline;
    slot.before = deadline;
    this.count++;
    if (this.armed === null || number < this.armed.slot) this.arm(number);
  }

  clear(deadline: Deadline): void {
    const { before, after } = deadline;
    if (before === null || after === null) return;
    before.after = after;
    after.before = before;
    deadline.before = null;
    deadline.after = null;
    this.count--;
  }

  /** Fires what is due by now. Called by the timer; tests with a clock of their own call it themselves. */
  turn(): void {
    const lastSlot = this.slotNow();
    // After a long stall one whole turn sees every slot.
    let slot = Math.max(this.passedSlot + 1, lastSlot - SLOTS + 1);
    for (; slot <= lastSlot; slot++) {
      this.passedSlot = slot;
      this.fire(this.slotAt(slot), slot * SLOT_MS);
    }
    this.armNext();
  }

  private fire(slot: Slot, untilMs: number): void {
    // Collected first: what fires may set and clear others of the same slot.
    const due: Deadline[] = [];
    for (let at: Deadline | null = slot.after; at !== slot && at !== null; at = at.after) if (at.dueAtMs <= untilMs) due.push(at);
    for (const deadline of due) {
      if (deadline.before === null || deadline.dueAtMs > untilMs) continue;
      this.clear(deadline);
      deadline.onDue();
    }
  }

  private slotAt(number: number): Slot {
    const slot = this.slots[number % SLOTS];
    if (slot === undefined) throw new RangeError(`slot ${number}`);
    return slot;
  }

  private isEmpty(number: number): boolean {
    const slot = this.slotAt(number);
    return slot.after === slot;
  }

  private slotNow(): number {
    return Math.floor(this.nowMs() / SLOT_MS);
  }

  private armNext(): void {
    if (this.armed !== null) clearTimeout(this.armed.timer);
    this.armed = null;
    if (this.count === 0) return;
    let number = this.passedSlot + 1;
    while (number < this.passedSlot + SLOTS && this.isEmpty(number)) number++;
    this.arm(number);
  }

  private arm(slot: number): void {
    if (this.armed !== null) clearTimeout(this.armed.timer);
    const timer = setTimeout(() => this.turn(), Math.max(1, Math.ceil(slot * SLOT_MS - this.nowMs())));
    // A node stays alive by its doors, not by what it waits for.
    timer.unref();
    this.armed = { slot, timer };
  }
}
