/** What the platform itself tells: the data of its own events. */

/** The data of `millrace.delivery.dead`: a delivery was given up. */
export interface DeadDelivery {
  /** Its number, as `millrace dead show` takes it. */
  readonly delivery: number;
  readonly function: string;
  readonly key: string | null;
  readonly attempts: number;
  /** What the last attempt failed with. */
  readonly error: { readonly name: string; readonly message: string; readonly stack: string | null };
  /** The event that was not handled: whole, or beyond 256 Ki characters its id, source and type alone. */
  readonly event: {
    readonly id: string;
    readonly source: string;
    readonly type: string;
    readonly data?: unknown;
    readonly [attribute: string]: unknown;
  };
}

/** The data of the event that wakes a function by `every` or `cron`. */
export interface ScheduleTick {
  /** The schedule in words: `every 300000ms`, `cron 0 3 * * * Europe/Berlin`. */
  readonly schedule: string;
  /** How many times before this one found nobody at work: it fires once for all of them. Of `cron`, 1,000 at most are counted. */
  readonly missed: number;
}

/** Platform events that functions may subscribe to, by type. */
export interface PlatformEvents {
  readonly "millrace.delivery.dead": DeadDelivery;
}
