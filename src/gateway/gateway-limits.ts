/** What the gateway bears from one client. */
export interface GatewayLimits {
  /** The largest request body of a function call. */
  readonly bodyBytes: number;
  /** A body up to this is collected before the call, so that a conflict can run it again. */
  readonly collectBytes: number;
  /** How long the end of a body of unknown length is waited for before it is handed on as a stream. */
  readonly collectMs: number;
  readonly headerBytes: number;
  /** The largest request body of `POST /_/events`, and the largest event in it. */
  readonly batchBytes: number;
  readonly eventBytes: number;
  /** From the first byte of a request to the last one of its headers, and of its body. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** How long a connection without a request is kept. */
  readonly idleMs: number;
  /** While the gateway waits for a client (for a body, or for an answer to be read), so many bytes must move in so much time. */
  readonly progressBytes: number;
  readonly progressMs: number;
  /** How long calls in flight may take to end when the gateway stops. */
  readonly stopMs: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const DEFAULT_GATEWAY_LIMITS: GatewayLimits = {
  bodyBytes: 100 * MIB,
  collectBytes: MIB,
  collectMs: 1000,
  headerBytes: 16 * KIB,
  batchBytes: 16 * MIB,
  eventBytes: MIB,
  headersMs: 15_000,
  requestMs: 300_000,
  idleMs: 60_000,
  progressBytes: KIB,
  progressMs: 30_000,
  stopMs: 10_000,
};
