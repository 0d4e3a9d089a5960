import { addHeader, findHeader, type HeaderList, type HeaderSource, hasTag, LightHeaders, toHeaderList } from "./light-headers.ts";

/**
 * `Response` without undici (see light-headers.ts): it keeps what it was made of, which is all that an answer needs. The
 * real one is made when user code reads the body of its own Response, or for a Blob or FormData.
 */
export interface LightResponseInit {
  readonly status?: number;
  readonly statusText?: string;
  readonly headers?: HeaderSource;
}

/** A body that flows. */
export type BodySource = ReadableStream<Uint8Array> | AsyncIterable<unknown>;

type Body = string | Uint8Array | BodySource | null;

export interface ResponseParts {
  readonly status: number;
  readonly statusText: string;
  readonly headers: HeaderList;
  /** The real Response where the body has already gone into one. */
  readonly body: Body | Response;
}

const NULL_BODY_STATUS = new Set([204, 205, 304]);
const REDIRECT_STATUS = new Set([301, 302, 303, 307, 308]);
const JSON_TYPE = "application/json";
const REASON_PHRASE = /^[\t\x20-\x7e\x80-\xff]*$/;

export class LightResponse {
  #status = 200;
  #statusText = "";
  #list: HeaderList;
  #headers: LightHeaders | null = null;
  #body: Body = null;
  #real: Response | null = null;
  #type: "default" | "error" = "default";

  constructor(body?: unknown, init?: LightResponseInit | null) {
    if (init !== undefined && init !== null) {
      if (init.status !== undefined) this.#status = checkStatus(init.status);
      if (init.statusText !== undefined) this.#statusText = checkStatusText(init.statusText);
      this.#list = toHeaderList(init.headers);
    } else this.#list = [];
    if (body === undefined || body === null) return;
    if (NULL_BODY_STATUS.has(this.#status)) throw new TypeError(`a Response with status ${this.#status} cannot have a body`);
    this.#keep(body);
  }

  static json(data: unknown, init?: LightResponseInit | null): LightResponse {
    const text = JSON.stringify(data) as string | undefined;
    if (text === undefined) throw new TypeError("Response.json: the value is no JSON value");
    const response = new LightResponse(null, init);
    if (NULL_BODY_STATUS.has(response.#status)) throw new TypeError(`a Response with status ${response.#status} cannot have a body`);
    response.#body = text;
    response.#defaultType(JSON_TYPE);
    return response;
  }

  static redirect(url: string | URL, status = 302): LightResponse {
    if (!REDIRECT_STATUS.has(status)) throw new RangeError(`${status} is no status of a redirect`);
    // Relative addresses are left as they are: the client resolves them, and there is no page here to resolve them by.
    return new LightResponse(null, { status, headers: { location: String(url) } });
  }

  static error(): LightResponse {
    const response = new LightResponse();
    response.#status = 0;
    response.#type = "error";
    return response;
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    if (this !== LightResponse) return Function.prototype[Symbol.hasInstance].call(this, value);
    if (typeof value !== "object" || value === null) return false;
    return #list in value || (hasTag(value, "Response") && value instanceof globalThis.Response);
  }

  /** What it was made of; null for everything else, a real Response too. */
  static partsOf(value: object): ResponseParts | null {
    if (!(#list in value)) return null;
    return { status: value.#status, statusText: value.#statusText, headers: value.#list, body: value.#real ?? value.#body };
  }

  get status(): number {
    return this.#status;
  }

  get statusText(): string {
    return this.#statusText;
  }

  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }

  get headers(): LightHeaders {
    return (this.#headers ??= LightHeaders.over(this.#list));
  }

  get type(): "default" | "error" {
    return this.#type;
  }

  get url(): string {
    return "";
  }

  get redirected(): boolean {
    return false;
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.#body === null && this.#real === null ? null : (this.#upgrade().body as ReadableStream<Uint8Array> | null);
  }

  get bodyUsed(): boolean {
    return this.#real?.bodyUsed ?? false;
  }

  text(): Promise<string> {
    return this.#upgrade().text();
  }

  json(): Promise<unknown> {
    return this.#upgrade().json();
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#upgrade().arrayBuffer();
  }

  bytes(): Promise<Uint8Array> {
    return this.#upgrade().bytes();
  }

  blob(): Promise<Blob> {
    return this.#upgrade().blob();
  }

  formData(): Promise<FormData> {
    return this.#upgrade().formData();
  }

  clone(): LightResponse {
    const copy = new LightResponse();
    copy.#status = this.#status;
    copy.#statusText = this.#statusText;
    copy.#type = this.#type;
    copy.#list = [...this.#list];
    if (this.#real === null && (typeof this.#body === "string" || this.#body instanceof Uint8Array)) copy.#body = this.#body;
    else if (this.#body !== null || this.#real !== null) copy.#real = this.#upgrade().clone();
    return copy;
  }

  get [Symbol.toStringTag](): string {
    return "Response";
  }

  #keep(body: unknown): void {
    if (typeof body === "string") {
      this.#body = body;
      this.#defaultType("text/plain;charset=UTF-8");
    } else if (body instanceof URLSearchParams) {
      this.#body = body.toString();
      this.#defaultType("application/x-www-form-urlencoded;charset=UTF-8");
    } else if (ArrayBuffer.isView(body)) this.#body = new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice();
    else if (body instanceof ArrayBuffer) this.#body = new Uint8Array(body.slice());
    else if (isSource(body)) this.#body = body;
    else if (typeof body === "object" && body !== null && (hasTag(body, "Blob") || hasTag(body, "File") || hasTag(body, "FormData"))) {
      this.#real = new globalThis.Response(body as Blob | FormData);
      this.#defaultType(this.#real.headers.get("content-type"));
    } else {
      this.#body = String(body);
      this.#defaultType("text/plain;charset=UTF-8");
    }
  }

  #defaultType(type: string | null): void {
    if (type !== null && findHeader(this.#list, "content-type") === null) addHeader(this.#list, "content-type", type);
  }

  /** From here on the body lives in the real one; status and headers stay here. */
  #upgrade(): Response {
    if (this.#real === null) {
      const contentType = findHeader(this.#list, "content-type");
      this.#real = new globalThis.Response(
        this.#body as ConstructorParameters<typeof Response>[0],
        contentType === null ? {} : { headers: { "content-type": contentType } },
      );
      this.#body = null;
    }
    return this.#real;
  }
}

export function isSource(value: unknown): value is BodySource {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

function checkStatus(status: unknown): number {
  const code = Number(status);
  if (!Number.isInteger(code) || code < 200 || code > 599)
    throw new RangeError(`a Response cannot have the status ${code}: use 200 to 599`);
  return code;
}

function checkStatusText(text: string): string {
  if (!REASON_PHRASE.test(text)) throw new TypeError("statusText holds a character that it may not hold");
  return text;
}
