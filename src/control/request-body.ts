import type { IncomingMessage } from "node:http";
import { MillraceError } from "../core/errors.ts";
import { formatSize } from "../core/size.ts";

/** The JSON value of a request's body, within the limit. Only JSON is taken (C7). */
export async function readJsonBody(request: IncomingMessage, limitBytes: number): Promise<unknown> {
  const type = (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    const given = type === undefined || type === "" ? "no content type" : type;
    throw new MillraceError("unsupported_media_type", `this door takes JSON, but got ${given}`, {
      cure: "Send the body with Content-Type: application/json.",
    });
  }
  const bytes = await readBytes(request, limitBytes);
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return value;
  } catch (error) {
    throw new MillraceError("bad_json", `the body is no JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

async function readBytes(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const tooLarge = new MillraceError("too_large", `the body is larger than ${formatSize(limitBytes)}`);
  if (Number(request.headers["content-length"] ?? 0) > limitBytes) throw tooLarge;
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > limitBytes) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
