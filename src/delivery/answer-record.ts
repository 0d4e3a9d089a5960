import type { HttpAnswer } from "../pool/pool.ts";
import type { ResponseHead } from "../protocol/messages.ts";

/** A larger body goes to the client but is not kept for a repetition (D16). */
export const MOST_ANSWER_BYTES = 1024 * 1024;

/** An answer as it is stored: its head as one line of JSON, then the body; `null` as head when the body was too large. */
export async function encodeAnswer(answer: HttpAnswer): Promise<{ record: Uint8Array; body: HttpAnswer["body"] }> {
  const { body, whole } = await collect(answer.body);
  if (whole === null) return { record: Buffer.from("null\n"), body };
  return { record: Buffer.concat([Buffer.from(`${JSON.stringify(answer.head)}\n`), whole]), body: whole };
}

/** null for an answer that was not kept. */
export function decodeAnswer(record: Uint8Array): { head: ResponseHead; body: Uint8Array } | null {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength);
  const end = bytes.indexOf(10);
  const head = JSON.parse(bytes.toString("utf8", 0, end)) as ResponseHead | null;
  return head === null ? null : { head, body: bytes.subarray(end + 1) };
}

async function collect(body: HttpAnswer["body"]): Promise<{ body: HttpAnswer["body"]; whole: Uint8Array | null }> {
  if (body instanceof Uint8Array) return body.length <= MOST_ANSWER_BYTES ? { body, whole: body } : { body, whole: null };
  const pieces: Uint8Array[] = [];
  let length = 0;
  const iterator = body[Symbol.asyncIterator]();
  for (let piece = await iterator.next(); piece.done !== true; piece = await iterator.next()) {
    // The instance may reuse what a piece lies in.
    pieces.push(Uint8Array.from(piece.value));
    length += piece.value.length;
    if (length > MOST_ANSWER_BYTES) return { body: resumed(pieces, iterator), whole: null };
  }
  const whole = Buffer.concat(pieces);
  return { body: whole, whole };
}

async function* resumed(pieces: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* pieces;
  for (let piece = await rest.next(); piece.done !== true; piece = await rest.next()) yield piece.value;
}
