import { Cron } from "croner";
import { MillraceError, toError } from "../core/index.ts";
import { compilePattern, PatternError } from "../events/patterns/index.ts";
import { compileSql, SqlError } from "../events/sql/index.ts";
import type { FunctionManifest, Manifest, Trigger } from "../protocol/manifest.ts";

/** What the sandbox could not judge, for want of the parsers or of the whole: patterns, SQL, cron expressions, routes. */
export function checkManifest(manifest: Manifest): void {
  for (const fn of manifest.functions) for (const trigger of fn.triggers) checkTrigger(fn, trigger);
  checkRoutes(manifest);
}

function checkTrigger(fn: FunctionManifest, trigger: Trigger): void {
  switch (trigger.kind) {
    case "event":
      if (trigger.where !== null) checkPattern(fn, trigger.type, trigger.where);
      if (trigger.sql !== null) checkSql(fn, trigger.type, trigger.sql);
      return;
    case "cron":
      checkCron(fn, trigger.expression, trigger.timezone);
      return;
    case "http":
    case "every":
      return;
    default:
      trigger satisfies never;
  }
}

function checkPattern(fn: FunctionManifest, type: string, where: object): void {
  try {
    compilePattern(JSON.stringify(where));
  } catch (thrown) {
    if (!(thrown instanceof PatternError)) throw thrown;
    throw new MillraceError("bad_pattern", `${placeOf(fn)}: event("${type}"): the pattern "where" is wrong: ${thrown.message}`, {
      cause: thrown,
      details: { file: fn.file, function: fn.name, path: thrown.path, fault: thrown.fault },
    });
  }
}

function checkSql(fn: FunctionManifest, type: string, sql: string): void {
  try {
    compileSql(sql);
  } catch (thrown) {
    if (!(thrown instanceof SqlError)) throw thrown;
    const fault = `at character ${thrown.position}: ${thrown.fault}`;
    throw new MillraceError("bad_sql", `${placeOf(fn)}: event("${type}"): the expression "sql" is wrong: ${fault}`, {
      cause: thrown,
      details: { file: fn.file, function: fn.name, position: thrown.position, fault: thrown.fault },
    });
  }
}

function checkCron(fn: FunctionManifest, expression: string, timezone: string | null): void {
  const place = `${placeOf(fn)}: cron("${expression}")`;
  const details = { file: fn.file, function: fn.name };
  let next: Date | null;
  try {
    next = new Cron(expression, { paused: true, timezone: timezone ?? "UTC" }).nextRun();
  } catch (thrown) {
    throw new MillraceError("bad_option", `${place}: ${toError(thrown).message}`, {
      cause: thrown,
      cure: 'Write five fields (minute, hour, day, month, weekday) or six with seconds first, and a timezone such as "Europe/Berlin".',
      details,
    });
  }
  if (next === null) {
    throw new MillraceError("bad_option", `${place}: no moment ever fits this expression`, {
      cure: "Write an expression that comes true.",
      details,
    });
  }
}

/** Routes of one method and one shape: a request could not tell them apart, whatever their parameters are called. */
function checkRoutes(manifest: Manifest): void {
  const taken = new Map<string, { readonly fn: FunctionManifest; readonly route: string }>();
  for (const fn of manifest.functions) {
    for (const trigger of fn.triggers) {
      if (trigger.kind !== "http") continue;
      const route = `${trigger.method} ${trigger.path}`;
      const shape = `${trigger.method} ${trigger.path.replace(/:[^/]+/g, ":")}`;
      const first = taken.get(shape);
      if (first !== undefined) throw duplicateRoute(first, { fn, route });
      taken.set(shape, { fn, route });
    }
  }
}

function duplicateRoute(one: { fn: FunctionManifest; route: string }, other: { fn: FunctionManifest; route: string }): MillraceError {
  const routes = one.route === other.route ? one.route : `${one.route} and ${other.route}`;
  const places = one.fn === other.fn ? `${placeOf(one.fn)}, twice` : `${placeOf(one.fn)} and ${placeOf(other.fn)}`;
  return new MillraceError("duplicate_route", `one route is given more than once: ${routes}: ${places}`, {
    details: { route: one.route, functions: [one.fn.name, other.fn.name] },
  });
}

function placeOf(fn: FunctionManifest): string {
  return `${fn.file}: export "${fn.exportName}"`;
}
