/** An answer to an HTTP request, whole, as a journal keeps it: a `Response` itself is a stream of which nothing can be kept. */
export class HttpAnswerValue {
  readonly status: number;
  readonly statusText: string;
  /** Name, value, name, value, … */
  readonly headers: readonly string[];
  readonly body: Uint8Array;

  constructor(answer: { status: number; statusText: string; headers: readonly string[]; body: Uint8Array }) {
    this.status = answer.status;
    this.statusText = answer.statusText;
    this.headers = answer.headers;
    this.body = answer.body;
  }
}
