import { describe, expect, it } from "vitest";
import type { MillraceError } from "../core/index.ts";
import type { HttpMethod } from "../protocol/index.ts";
import { RouteTable } from "./route-table.ts";
import { functionOf } from "./testing-support/release.ts";

function table(...routes: readonly `${HttpMethod} ${string}`[]): RouteTable {
  return new RouteTable(
    routes.map((route) => {
      const [method = "", path = ""] = route.split(" ");
      return functionOf(route, [{ kind: "http", method: method as HttpMethod, path }]);
    }),
  );
}

/** `METHOD /route {params}`, or what came instead, in one line. */
function shown(match: ReturnType<RouteTable["match"]>): string {
  switch (match.kind) {
    case "function":
      return Object.keys(match.params).length === 0 ? match.fn : `${match.fn} ${JSON.stringify(match.params)}`;
    case "other-method":
      return `405 ${match.allow.join(" ")}`;
    case "damaged":
      return `400 ${match.part}`;
    case "none":
      return "404";
    default:
      return match satisfies never;
  }
}

const routes = table(
  "GET /",
  "GET /orders",
  "POST /orders",
  "GET /orders/:id",
  "DELETE /orders/:id",
  "GET /orders/latest",
  "ANY /orders/:order/lines/:line",
  "GET /orders/:id/lines/first",
  "GET /files/*",
  "GET /files/readme",
  "GET /files/:name/raw",
  "PUT /files/readme",
  "GET /a/b/c",
  "GET /a/:x/d",
  "GET /a/*",
  "POST /a/:x",
  "GET /café",
  "ANY /any",
  "GET /any",
);

describe("the route table", () => {
  it.each([
    ["G1", "GET /", "GET /"],
    ["G1", "GET /orders", "GET /orders"],
    ["G1", "GET /orders/latest", "GET /orders/latest"],
    ["G1", "GET /orders/7", 'GET /orders/:id {"id":"7"}'],
    ["G1", "GET /orders/7/lines/first", 'GET /orders/:id/lines/first {"id":"7"}'],
    ["G1", "GET /orders/7/lines/2", 'ANY /orders/:order/lines/:line {"order":"7","line":"2"}'],
    ["G1", "PUT /orders/7/lines/first", 'ANY /orders/:order/lines/:line {"order":"7","line":"first"}'],
    ["G1", "GET /a/b/c", "GET /a/b/c"],
    ["G1", "GET /a/b/d", 'GET /a/:x/d {"x":"b"}'],
    ["G1", "GET /a/b/e", 'GET /a/* {"*":"b/e"}'],
    ["G1", "GET /a/b", 'GET /a/* {"*":"b"}'],
    ["G1", "POST /a/b", 'POST /a/:x {"x":"b"}'],
    ["G1", "GET /nothing", "404"],
    ["G1", "GET /orders/7/nothing", "404"],
    ["G2", "GET /orders/", "404"],
    ["G2", "GET /files/", 'GET /files/* {"*":""}'],
    ["G2", "GET /files", "404"],
    ["G2", "GET /files/a//b/", 'GET /files/* {"*":"a//b/"}'],
    ["G2", "GET /files/x/raw", 'GET /files/:name/raw {"name":"x"}'],
    ["G2", "GET //", "404"],
    ["G3", "GET /orders/a%2Fb%20c", 'GET /orders/:id {"id":"a/b c"}'],
    ["G3", "GET /orders/lat%65st", "GET /orders/latest"],
    ["G3", "GET /caf%C3%A9", "GET /café"],
    ["G3", "GET /orders/%", "400 %"],
    ["G3", "GET /orders/%ff", "400 %ff"],
    ["G3", "GET /files/../orders", "400 .."],
    ["G3", "GET /files/%2e%2E/orders", "400 %2e%2E"],
    ["G3", "GET /files/.", "400 ."],
    ["G3", "GET /files/..a", 'GET /files/* {"*":"..a"}'],
    ["G4", "HEAD /orders/7", 'GET /orders/:id {"id":"7"}'],
    ["G4", "GET /any", "GET /any"],
    ["G4", "HEAD /any", "GET /any"],
    ["G4", "PROPFIND /any", "ANY /any"],
    ["G5", "OPTIONS /any", "ANY /any"],
    ["G5", "OPTIONS /orders", "405 GET HEAD OPTIONS POST"],
    ["G5", "PUT /orders", "405 GET HEAD OPTIONS POST"],
    ["G5", "PATCH /files/readme", "405 GET HEAD OPTIONS PUT"],
    ["G5", "PUT /orders/7", "405 DELETE GET HEAD OPTIONS"],
  ])("%s: %s → %s", (_rule, request, wanted) => {
    const [method = "", path = ""] = request.split(" ");
    expect(shown(routes.match(method, path))).toBe(wanted);
  });

  it("G2: a parameter may have any name, that of a property of all objects too", () => {
    const match = table("GET /x/:__proto__").match("GET", "/x/1");
    expect(match).toMatchObject({ kind: "function" });
    expect(match.kind === "function" && Object.entries(match.params)).toEqual([["__proto__", "1"]]);
  });

  it.each([
    ["duplicate_route", ["GET /a/:id", "GET /a/:name"]],
    ["bad_option", ["GET /_/events"]],
    ["bad_option", ["GET /_"]],
    ["bad_option", ["GET a"]],
    ["bad_option", ["GET /a/*/b"]],
    ["bad_option", ["GET /a/b*"]],
    ["bad_option", ["GET /a/:"]],
    ["bad_option", ["GET /a/:id?"]],
    ["bad_option", ["GET /a/:id/:id"]],
    ["bad_option", ["GET /a/../b"]],
    ["bad_option", ["GET /a/%ff"]],
  ] as const)("G6: %s for %s", (code, paths) => {
    expect(() => table(...paths)).toThrow(expect.objectContaining({ code }) as MillraceError);
  });

  it("G6: both functions are named when two want one route", () => {
    const trigger = { kind: "http", method: "GET", path: "/x" } as const;
    const make = (): RouteTable => new RouteTable([functionOf("one", [trigger]), functionOf("two", [trigger])]);
    expect(make).toThrow('GET /x of "two" is taken by "one" already');
  });
});
