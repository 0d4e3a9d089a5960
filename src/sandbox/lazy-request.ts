import { Readable } from "node:stream";
import type { HttpHead } from "../protocol/messages.ts";
import { findHeader, fromRawHeaders, type HeaderList, hasTag, LightHeaders } from "./light-headers.ts";
import type { RequestBody } from "./request-body.ts";

/** Where the body comes from: all of it, or in pieces; null when there is none. */
export type BodyOrigin = Uint8Array<ArrayBuffer> | RequestBody | ReadableStream<Uint8Array> | null;

/**
 * The `Request` that a handler gets: made of the frame as it is, each part when it is first asked for. undici's own is
 * made only to be handed on (`fetch(request)`), and for `formData()`.
 */
export class LazyRequest {
  readonly #head: HttpHead;
  readonly #signal: () => AbortSignal;
  #origin: BodyOrigin;
  #list: HeaderList | null = null;
  #headers: LightHeaders | null = null;
  #stream: ReadableStream<Uint8Array> | null = null;
  #used = false;

  constructor(head: HttpHead, origin: BodyOrigin, signal: () => AbortSignal) {
    this.#head = head;
    this.#origin = origin;
    this.#signal = signal;
  }

  static isLazy(value: unknown): value is LazyRequest {
    return typeof value === "object" && value !== null && #head in value;
  }

  get method(): string {
    return this.#head.method;
  }

  get url(): string {
    return this.#head.url;
  }

  get headers(): LightHeaders {
    return (this.#headers ??= LightHeaders.over(this.#headerList));
  }

  get signal(): AbortSignal {
    return this.#signal();
  }

  get bodyUsed(): boolean {
    return this.#used || (this.#stream !== null && Readable.isDisturbed(this.#stream));
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (this.#origin === null) return null;
    return (this.#stream ??= this.#used ? emptyStream() : toStream(this.#origin));
  }

  async text(): Promise<string> {
    const bytes = await this.#take();
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return Uint8Array.from(await this.#take());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }

  async blob(): Promise<Blob> {
    return new Blob([await this.#take()], { type: findHeader(this.#headerList, "content-type") ?? "" });
  }

  async formData(): Promise<FormData> {
    const type = findHeader(this.#headerList, "content-type");
    return new globalThis.Response(await this.#take(), type === null ? {} : { headers: { "content-type": type } }).formData();
  }

  clone(): LazyRequest {
    if (this.bodyUsed || this.#stream?.locked === true)
      throw new TypeError("the request's body was already read: clone it before reading it");
    const origin = this.#share();
    const copy = new LazyRequest(this.#head, origin, this.#signal);
    copy.#list = [...this.#headerList];
    return copy;
  }

  /** undici's Request of the same, taking this one's body over. */
  toReal(): Request {
    const { method, url } = this.#head;
    const headers = [...this.headers];
    const bodiless = method === "GET" || method === "HEAD" || this.#origin === null;
    const real = new globalThis.Request(url, {
      method,
      headers,
      signal: this.signal,
      ...(bodiless ? {} : { body: this.body as ReadableStream, duplex: "half" as const }),
    });
    this.#used ||= !bodiless;
    return real;
  }

  get cache(): string {
    return "default";
  }

  get credentials(): string {
    return "same-origin";
  }

  get destination(): string {
    return "";
  }

  get duplex(): string {
    return "half";
  }

  get integrity(): string {
    return "";
  }

  get keepalive(): boolean {
    return false;
  }

  get mode(): string {
    return "cors";
  }

  get redirect(): string {
    return "follow";
  }

  get referrer(): string {
    return "about:client";
  }

  get referrerPolicy(): string {
    return "";
  }

  get [Symbol.toStringTag](): string {
    return "Request";
  }

  get #headerList(): HeaderList {
    return (this.#list ??= fromRawHeaders(this.#head.headers));
  }

  /** The whole body, once. */
  async #take(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.bodyUsed) throw new TypeError("the request's body was already read: keep what the first reading gave, or clone() before");
    const origin = this.#stream ?? this.#origin;
    if (origin === null) return new Uint8Array();
    this.#used = true;
    if (origin instanceof Uint8Array) return origin;
    const pieces: Uint8Array[] = [];
    const next = "next" in origin ? () => origin.next() : readerOf(origin);
    for (let piece = await next(); piece !== null; piece = await next()) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** An origin for a second reader. */
  #share(): BodyOrigin {
    if (this.#origin === null || (this.#origin instanceof Uint8Array && this.#stream === null)) return this.#origin;
    const [own, other] = (this.#stream ?? toStream(this.#origin)).tee();
    this.#origin = own;
    this.#stream = own;
    return other;
  }
}

function readerOf(stream: ReadableStream<Uint8Array>): () => Promise<Uint8Array | null> {
  const reader = stream.getReader();
  return async () => (await reader.read()).value ?? null;
}

function toStream(origin: Exclude<BodyOrigin, null>): ReadableStream<Uint8Array> {
  if (origin instanceof ReadableStream) return origin;
  let whole = origin instanceof Uint8Array ? origin : null;
  const next = async (): Promise<Uint8Array<ArrayBuffer> | null> => {
    if (!(origin instanceof Uint8Array)) return origin.next();
    // A copy: a byte stream takes the memory of what it is given away from its owner.
    const bytes = whole === null ? null : Uint8Array.from(whole);
    whole = null;
    return bytes;
  };
  return new ReadableStream<Uint8Array>(
    {
      type: "bytes",
      async pull(controller) {
        const piece = await next();
        if (piece === null) {
          controller.close();
          // A reader that brought its own buffer waits for an answer even at the end.
          if ("byobRequest" in controller) controller.byobRequest?.respond(0);
        } else controller.enqueue(piece);
      },
    },
    { highWaterMark: 0 },
  );
}

function emptyStream(): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
}

/** What user code knows as the class `Request`: makes real ones, and knows both kinds as its own. */
export class RequestClass {
  constructor(input: unknown, init?: RequestInit) {
    const Real = globalThis.Request;
    if (new.target === RequestClass) return Reflect.construct(Real, [unwrap(input), init]) as RequestClass;
    // A class of the user's own extends this one: undici's methods must then be found behind it.
    Object.setPrototypeOf(RequestClass.prototype, Real.prototype);
    return Reflect.construct(Real, [unwrap(input), init], new.target) as RequestClass;
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    if (this !== RequestClass) return Function.prototype[Symbol.hasInstance].call(this, value);
    if (typeof value !== "object" || value === null) return false;
    return LazyRequest.isLazy(value) || (hasTag(value, "Request") && value instanceof globalThis.Request);
  }
}

/** undici knows only its own Requests. */
export function unwrap(input: unknown): unknown {
  return LazyRequest.isLazy(input) ? input.toReal() : input;
}
