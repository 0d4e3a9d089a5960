import { RequestClass, unwrap } from "./lazy-request.ts";
import { LightHeaders } from "./light-headers.ts";
import { LightResponse } from "./light-response.ts";

/**
 * Puts the light classes in the place of undici's. To replace a property of `globalThis` would load undici first (its
 * lazy property runs when it is redefined by reading it, and once overwritten there is no way back to the real class). A
 * binding that a classic script declares is found before the property and leaves it alone: so `Response` is the light
 * one, `globalThis.Response` stays undici's, and either is a good answer.
 */
export function installWebGlobals(): void {
  const declare: unknown = process
    .getBuiltinModule("node:vm")
    .runInThisContext(
      "let Response, Headers, Request, fetch; (response, headers, request, fetcher) => { Response = response; Headers = headers; Request = request; fetch = fetcher; }",
    );
  if (typeof declare !== "function") return;
  const fetcher = (input: unknown, init?: RequestInit): Promise<Response> => globalThis.fetch(unwrap(input) as Request, init);
  Reflect.apply(declare, undefined, [LightResponse, LightHeaders, RequestClass, fetcher]);
}
