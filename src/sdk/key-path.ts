import { didYouMean, toError } from "../core/index.ts";
import { show } from "./load-fault.ts";
import { isPlainObject } from "./option-reader.ts";

/**
 * A key accessor is code that the node must not run, so it is turned into data when the app is loaded: it is called
 * once with a proxy that records which field it reads. Proxies cannot see everything (`??`, `||` and comparisons leave
 * no trace), therefore the recorded path is then put to the proof: on events that hold a marker, a falsy value or
 * nothing at that path, accessor and path must agree.
 */
export type KeyPath = { readonly ok: true; readonly path: readonly string[] } | { readonly ok: false; readonly fault: string };

export const KEY_CURE =
  'Read one field of the event, such as (e) => e.data.sku, or write its path, such as "data.sku". For a key that must be computed, send it with the event: ctx.emit(type, data, { key }).';

const ATTRIBUTES = ["id", "source", "type", "subject", "time", "data", "datacontenttype", "dataschema", "partitionkey"];

export function keyPathOfText(text: string): KeyPath {
  const path = text.split(".");
  return path.includes("") ? wrong(`the path ${JSON.stringify(text)} has an empty part`) : checkAttribute(path);
}

export function keyPathOfAccessor(accessor: (event: unknown) => unknown): KeyPath {
  const recorded = record(accessor);
  if (!recorded.ok) return recorded;
  const unlike = PROBES.some((value) => !Object.is(read(accessor, eventWith(recorded.path, value)), value));
  if (unlike) return wrong("it does more than read a field: it gives another value when the field is empty");
  return checkAttribute(recorded.path);
}

function record(accessor: (event: unknown) => unknown): KeyPath {
  const recorder = new Recorder();
  let result: unknown;
  try {
    result = accessor(recorder.root);
  } catch (thrown) {
    return wrong(thrown instanceof TooMuch ? thrown.message : `it throws: ${toError(thrown).message}`);
  } finally {
    recorder.close();
  }
  const path = recorder.pathOf(result);
  if (path === undefined) return wrong(describeResult(result));
  if (path.length === 0) return wrong("it returns the event itself");
  if (recorder.reads !== path.length) return wrong("it reads more than one field");
  return { ok: true, path };
}

function describeResult(result: unknown): string {
  if (result instanceof Promise) return "it is async";
  if (isPlainObject(result) || Array.isArray(result)) return "it makes a value of its own";
  if (result === undefined) return "it returns nothing";
  return `it returns a constant or a computed value (${show(result)})`;
}

/** What an accessor may not do, thrown from inside it. */
class TooMuch extends Error {}

class Recorder {
  readonly root: unknown;
  /** How many fields were read in all: of one path, as many as it has parts. */
  reads = 0;
  private readonly paths = new Map<unknown, readonly string[]>();
  /** An async accessor's promise asks for `then` long after: nobody must be thrown at then. */
  private closed = false;

  constructor() {
    this.root = this.proxyFor([]);
  }

  pathOf(value: unknown): readonly string[] | undefined {
    return this.paths.get(value);
  }

  close(): void {
    this.closed = true;
  }

  private proxyFor(path: readonly string[]): unknown {
    const refuse = (what: string) => (): never => {
      throw new TooMuch(`it ${what}`);
    };
    // A function, so that a call reaches the `apply` trap and can be named as what it is.
    const proxy: unknown = new Proxy(() => {}, {
      get: (_, name) => {
        if (this.closed) return undefined;
        if (typeof name === "symbol") throw new TooMuch(describeSymbol(name));
        this.reads++;
        return this.proxyFor([...path, name]);
      },
      apply: () => {
        if (this.closed) return undefined;
        throw new TooMuch("it calls a function");
      },
      construct: refuse("makes an object"),
      has: refuse("uses `in`"),
      set: refuse("changes the event"),
      deleteProperty: refuse("changes the event"),
      defineProperty: refuse("changes the event"),
      ownKeys: refuse("lists the fields of the event"),
      getOwnPropertyDescriptor: refuse("lists the fields of the event"),
      getPrototypeOf: refuse("uses `instanceof`"),
    });
    this.paths.set(proxy, path);
    return proxy;
  }
}

function describeSymbol(name: symbol): string {
  if (name === Symbol.toPrimitive) return "it uses an operator, a template string or a field as a name";
  if (name === Symbol.iterator || name === Symbol.asyncIterator) return "it loops over the event";
  return "it does more than read a field";
}

const PROBES: readonly unknown[] = [{}, undefined, null, 0, "", false, "text", 7];

function eventWith(path: readonly string[], value: unknown): unknown {
  // fromEntries defines own fields, whatever their name: `__proto__` is one like any other.
  return path.reduceRight<unknown>((inner, name) => Object.fromEntries([[name, inner]]), value);
}

const THREW = Symbol("threw");

function read(accessor: (event: unknown) => unknown, event: unknown): unknown {
  try {
    return accessor(event);
  } catch {
    return THREW;
  }
}

/** Attributes are single values, and only lower-case letters and digits make their names. */
function checkAttribute(path: readonly string[]): KeyPath {
  const [attribute = ""] = path;
  if (path.length > 1 && attribute !== "data")
    return wrong(`"${attribute}" has no fields, only "data" has${didYouMean(attribute, ["data"])}`);
  if (!/^[a-z0-9]+$/.test(attribute)) return wrong(`"${attribute}" is no attribute of an event${didYouMean(attribute, ATTRIBUTES)}`);
  return { ok: true, path };
}

function wrong(fault: string): KeyPath {
  return { ok: false, fault };
}
