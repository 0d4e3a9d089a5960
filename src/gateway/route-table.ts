import { type HttpMethod, type Manifest } from "../protocol/index.ts";
import { MillraceError } from "../core/index.ts";

/** What a request's method and path lead to. */
export type RouteMatch =
  | { readonly kind: "function"; readonly fn: string; readonly params: Readonly<Record<string, string>> }
  /** The path is known, the method is not; `allow` are those that are. */
  | { readonly kind: "other-method"; readonly allow: readonly string[] }
  | { readonly kind: "none" }
  /** A part of the path cannot be percent-decoded, or would be rewritten by whoever parses the URL next. */
  | { readonly kind: "damaged"; readonly part: string };

interface Route {
  readonly fn: string;
  readonly params: readonly string[];
}

/** One place in the tree of segments. A wildcard's routes hang on the node before it. */
interface Place {
  readonly statics: Map<string, Place>;
  param: Place | undefined;
  readonly here: Map<HttpMethod, Route>;
  readonly wild: Map<HttpMethod, Route>;
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({});
const NONE: RouteMatch = { kind: "none" };

/**
 * Methods and paths to functions (SPEC.md G1 to G6). A tree of segments, walked static before param before wildcard, with
 * back-tracking; a route of static segments only is found in one look-up before, which is most of the traffic of most apps.
 * Every place of the tree is reached by one way only, so a walk never visits more places than there are.
 */
export class RouteTable {
  private readonly root = newPlace();
  private readonly exact = new Map<string, Place>();

  constructor(functions: Manifest["functions"]) {
    for (const { name, triggers } of functions) {
      for (const trigger of triggers) if (trigger.kind === "http") this.add(trigger.method, trigger.path, name);
    }
  }

  match(method: string, path: string): RouteMatch {
    const exact = this.exact.get(path);
    const direct = exact === undefined ? undefined : routeFor(exact.here, method);
    if (direct !== undefined) return { kind: "function", fn: direct.fn, params: NO_PARAMS };
    return this.search(method, path);
  }

  private search(method: string, path: string): RouteMatch {
    const segments: string[] = [];
    for (const raw of path.slice(1).split("/")) {
      const segment = decodeSegment(raw);
      if (segment === undefined) return { kind: "damaged", part: raw };
      segments.push(segment);
    }
    const seen = new Set<HttpMethod>();
    const found = walk(this.root, segments, 0, [], method, seen);
    if (found !== undefined) return found;
    return seen.size === 0 ? NONE : { kind: "other-method", allow: allowed(seen) };
  }

  private add(method: HttpMethod, path: string, fn: string): void {
    const { segments, wildcard } = parsePattern(path, fn);
    const params: string[] = [];
    let place = this.root;
    for (const segment of segments) {
      if (segment.kind === "param") {
        params.push(segment.name);
        place = place.param ??= newPlace();
      } else {
        let next = place.statics.get(segment.text);
        if (next === undefined) place.statics.set(segment.text, (next = newPlace()));
        place = next;
      }
    }
    const routes = wildcard ? place.wild : place.here;
    const other = routes.get(method);
    if (other !== undefined) {
      throw new MillraceError("duplicate_route", `${method} ${path} of "${fn}" is taken by "${other.fn}" already`);
    }
    routes.set(method, { fn, params: wildcard ? [...params, "*"] : params });
    if (!wildcard && params.length === 0) this.exact.set(path, place);
  }
}

function newPlace(): Place {
  return { statics: new Map(), param: undefined, here: new Map(), wild: new Map() };
}

function walk(
  place: Place,
  segments: readonly string[],
  depth: number,
  values: readonly string[],
  method: string,
  seen: Set<HttpMethod>,
): RouteMatch | undefined {
  const segment = segments[depth];
  if (segment === undefined) return take(place.here, values, method, seen);
  const next = place.statics.get(segment);
  const found = next === undefined ? undefined : walk(next, segments, depth + 1, values, method, seen);
  if (found !== undefined) return found;
  if (place.param !== undefined && segment !== "") {
    const byParam = walk(place.param, segments, depth + 1, [...values, segment], method, seen);
    if (byParam !== undefined) return byParam;
  }
  return place.wild.size === 0 ? undefined : take(place.wild, [...values, segments.slice(depth).join("/")], method, seen);
}

function take(
  routes: ReadonlyMap<HttpMethod, Route>,
  values: readonly string[],
  method: string,
  seen: Set<HttpMethod>,
): RouteMatch | undefined {
  const route = routeFor(routes, method);
  if (route === undefined) {
    for (const known of routes.keys()) seen.add(known);
    return undefined;
  }
  if (values.length === 0) return { kind: "function", fn: route.fn, params: NO_PARAMS };
  // No prototype: a parameter may be called anything.
  const params: Record<string, string> = Object.create(null);
  for (const [index, name] of route.params.entries()) params[name] = values[index] ?? "";
  return { kind: "function", fn: route.fn, params };
}

/** A method's own route comes before ANY; HEAD is answered by GET. */
function routeFor(routes: ReadonlyMap<HttpMethod, Route>, method: string): Route | undefined {
  const own = routes.get((method === "HEAD" ? "GET" : method) as HttpMethod);
  return own ?? routes.get("ANY");
}

function allowed(methods: ReadonlySet<HttpMethod>): readonly string[] {
  const allow: string[] = [...methods];
  if (methods.has("GET")) allow.push("HEAD");
  allow.push("OPTIONS");
  return allow.sort();
}

function decodeSegment(raw: string): string | undefined {
  let text = raw;
  if (raw.includes("%")) {
    try {
      text = decodeURIComponent(raw);
    } catch {
      return undefined;
    }
  }
  // The function's own URL parser would resolve these, and so see another path than the one that was matched.
  return text === "." || text === ".." ? undefined : text;
}

type Segment = { readonly kind: "static"; readonly text: string } | { readonly kind: "param"; readonly name: string };

const PARAM = /^:[A-Za-z_][A-Za-z0-9_]*$/;
const RESERVED = "_";

function parsePattern(path: string, fn: string): { segments: readonly Segment[]; wildcard: boolean } {
  if (!path.startsWith("/")) throw badPath(path, fn, "it must begin with /");
  const raw = path.slice(1).split("/");
  if (raw[0] === RESERVED) throw badPath(path, fn, "/_/ is kept for Millrace itself");
  const wildcard = raw.at(-1) === "*";
  if (wildcard) raw.pop();
  const names = new Set<string>();
  const segments = raw.map((text): Segment => {
    if (!text.startsWith(":")) return { kind: "static", text: staticText(text, path, fn) };
    const name = text.slice(1);
    if (!PARAM.test(text)) throw badPath(path, fn, `"${text}" is no parameter: write ":" and a name of letters, digits and _`);
    if (names.has(name)) throw badPath(path, fn, `the parameter "${name}" stands in it twice`);
    names.add(name);
    return { kind: "param", name };
  });
  return { segments, wildcard };
}

function staticText(text: string, path: string, fn: string): string {
  if (/[*?#\\]/.test(text))
    throw badPath(path, fn, `"${text}" may not hold * ? # or \\; * stands for the rest of a path, as its last segment`);
  const decoded = decodeSegment(text);
  if (decoded === undefined) throw badPath(path, fn, `"${text}" can be no segment of a path`);
  return decoded;
}

function badPath(path: string, fn: string, why: string): MillraceError {
  return new MillraceError("bad_option", `"${fn}" cannot have the path "${path}": ${why}`);
}
