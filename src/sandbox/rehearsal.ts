import { newId } from "../core/ids.ts";
import { FRAME, type Frame } from "../protocol/frame.ts";
import { rehearseModules } from "./bundle-modules.ts";
import { Calls, type LoadedFunction } from "./calls.ts";
import { LightResponse } from "./light-response.ts";
import { Schemas } from "./schemas.ts";

/**
 * Plays one call of each kind for nobody, so that what the first real one would have to load and compile is there: it
 * takes that call from 2.1 ms to 0.4 ms. For spares, while they wait.
 */
export function rehearse(): void {
  newId();
  performance.eventLoopUtilization();
  rehearseModules();
  const calls = new Calls({ send: () => {} }, () => {});
  const head = { id: "", attempt: 1, timeoutMs: 1, method: "GET", url: "", headers: [], params: {} };
  const frame: Frame = { type: FRAME.http, call: 1, flags: 0, head, body: Buffer.from("{}") };
  calls.startHttp(frame, { ...NOBODY, handler: async () => LightResponse.json({}) });
  calls.startEvent(frame, { ...NOBODY, handler: async (_event, ctx) => ctx.emit("rehearsal", {}) });
}

const NOBODY = { name: "", env: {}, schemas: new Schemas(new Map(), () => Promise.resolve()) } satisfies Omit<LoadedFunction, "handler">;
