import { HttpAnswerValue } from "../../protocol/value-text.ts";
import { isThenable } from "./step-attempts.ts";

/** What a flow that HTTP woke returns: a Response is a stream, of which a journal can only keep what it says in the end. */
export function keptAnswer(result: unknown): unknown {
  if (isThenable(result)) return Promise.resolve(result).then(keptAnswer);
  return result instanceof Response ? readWhole(result) : result;
}

async function readWhole(response: Response): Promise<HttpAnswerValue> {
  const { status, statusText } = response;
  const headers: string[] = [];
  for (const [name, value] of response.headers) headers.push(name, value);
  return new HttpAnswerValue({ status, statusText, headers, body: new Uint8Array(await response.arrayBuffer()) });
}
