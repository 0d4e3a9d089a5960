import { fn, http } from "millrace";
import { isSigned } from "../signature.ts";

/** What every payload may have; the rest is the affair of those who are woken. */
interface Payload {
  readonly action?: string;
  readonly repository?: { readonly full_name: string };
}

/** The door: lets in what GitHub has signed, once, as an event named for what happened. */
export const receive = fn({ on: http.post("/github"), timeout: "10s" }, async (request, ctx) => {
  const secret = ctx.env.GITHUB_WEBHOOK_SECRET;
  if (secret === undefined || secret === "") throw new Error("GITHUB_WEBHOOK_SECRET is not set: write it into .env.local");

  const body = new Uint8Array(await request.arrayBuffer());
  if (!isSigned(secret, body, request.headers.get("x-hub-signature-256"))) return refuse(401, "the signature is missing or wrong");
  const id = request.headers.get("x-github-delivery");
  const name = request.headers.get("x-github-event");
  if (id === null || name === null) return refuse(400, "x-github-delivery and x-github-event are needed");
  const payload = parse(body);
  if (payload === undefined) return refuse(400, "the body is no JSON object: choose the content type application/json");

  // GitHub sends again what it believes lost, for three days. The mark and the event commit together: neither is there alone.
  const mark = `received/${id}`;
  if ((await ctx.kv.get(mark)) !== undefined) return Response.json({ accepted: id, repeated: true });
  await ctx.kv.set(mark, true, { ttl: "3d" });

  const type = payload.action === undefined ? `github.${name}` : `github.${name}.${payload.action}`;
  const subject = payload.repository?.full_name;
  await ctx.emit(type, payload, { id, source: "https://github.com", ...(subject === undefined ? {} : { subject }) });
  return Response.json({ accepted: id, type }, { status: 202 });
});

function refuse(status: number, reason: string): Response {
  return Response.json({ reason }, { status });
}

function parse(body: Uint8Array): Payload | undefined {
  try {
    const payload: unknown = JSON.parse(new TextDecoder().decode(body));
    return typeof payload === "object" && payload !== null && !Array.isArray(payload) ? payload : undefined;
  } catch {
    return undefined;
  }
}
