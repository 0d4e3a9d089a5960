import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { compileSchema } from "./schema.ts";

function says(schema: unknown, data: unknown): string[] {
  return compileSchema(schema, "order.placed")(data).map(({ path, message }) => `${path}: ${message}`);
}

const ORDER = {
  type: "object",
  properties: {
    id: { type: "string", minLength: 1 },
    qty: { type: "integer", minimum: 1 },
    color: { enum: ["red", "green"] },
    items: { type: "array", minItems: 1, items: { type: "object", properties: { "unit price": { type: "number", exclusiveMinimum: 0 } } } },
  },
  required: ["id"],
  additionalProperties: false,
};

describe("words", () => {
  it.each([
    [{ id: "1", qty: 2, color: "red", items: [{ "unit price": 1 }] }, []],
    [{ id: "1", qty: "x" }, ['data.qty: must be a whole number of at least 1, but is "x"']],
    [{ id: "1", qty: 0 }, ["data.qty: must be a whole number of at least 1, but is 0"]],
    [{}, ["data.id: is missing"]],
    [{ id: "" }, ['data.id: must be a string of at least 1 character, but is ""']],
    [{ id: "1", qtty: 1 }, ['data.qtty: is not known here (did you mean "qty"?)']],
    [{ id: "1", color: "gren" }, ['data.color: must be one of "red", "green", but is "gren" (did you mean "green"?)']],
    [{ id: "1", items: [] }, ["data.items: must be a list of at least 1 item, but is an empty list"]],
    [{ id: "1", items: [{}, { "unit price": 0 }] }, ['data.items[1]["unit price"]: must be a number above 0, but is 0']],
    [[1], ["data: must be an object, but is a list of 1 item"]],
    [null, ["data: must be an object, but is null"]],
    [undefined, ["data: must be an object, but is missing"]],
    [
      { qty: {}, id: 5 },
      ["data.qty: must be a whole number of at least 1, but is an object", "data.id: must be a string of at least 1 character, but is 5"],
    ],
  ])("E30: %j", (data, issues) => {
    expect(new Set(says(ORDER, data))).toEqual(new Set(issues));
  });

  it.each([
    [{ type: "integer", minimum: 1, maximum: 5 }, 9, "must be a whole number from 1 to 5, but is 9"],
    [{ type: "number", maximum: 5, multipleOf: 2 }, 3, "must be a number of at most 5, that is a multiple of 2, but is 3"],
    [{ exclusiveMaximum: 5 }, 5, "must be a number below 5, but is 5"],
    [{ type: ["string", "null"] }, 1, "must be a string or null, but is 1"],
    [{ type: "boolean" }, "yes", 'must be true or false, but is "yes"'],
    [{ const: "a" }, "b", 'must be "a", but is "b"'],
    [{ type: "string", minLength: 2, maxLength: 2 }, "abc", 'must be a string of exactly 2 characters, but is "abc"'],
    [{ type: "string", pattern: "^a" }, "b", 'must be a string that matches /^a/, but is "b"'],
    [{ format: "date-time" }, "now", 'must be a date and time such as 2026-01-31T12:00:00Z, but is "now"'],
    [{ type: "string", format: "uuid" }, "1", 'must be a UUID, but is "1"'],
    [{ type: "array", uniqueItems: true }, [1, 2, 1], "must not hold the same item twice, but items 0 and 2 are equal"],
    [{ type: "object", maxProperties: 1 }, { a: 1, b: 2 }, "must be an object of at most 1 member, but is an object"],
    [{ not: { type: "null" } }, null, "must not be what the schema rules out, but is null"],
    [false, 1, "must not be what the schema rules out, but is 1"],
    [{ contains: { const: 1 } }, [2], "must contain at least 1 valid item(s), but is a list of 1 item"],
    [{ prefixItems: [{}], items: false }, [1, 2], "must have at most 1 item"],
  ])("E30: %j refuses %j", (schema, data, message) => {
    expect(says(schema, data).at(-1)).toBe(`data: ${message}`);
  });

  it("E30: what hangs together, and names", () => {
    expect(says({ dependentRequired: { card: ["address"] } }, { card: 1 })).toEqual([
      'data.address: is missing, and is needed beside "card"',
    ]);
    expect(says({ propertyNames: { maxLength: 2 } }, { long: 1 })).toEqual(['data: has a name that does not fit: "long"']);
    expect(says({ properties: { a: false } }, { a: 1 })).toEqual(["data.a: is not allowed here"]);
    expect(says(JSON.parse('{"if":{"const":1},"then":{"const":2}}'), 1)).toEqual(["data: must be 2, but is 1"]);
  });

  it("E30: twenty issues are enough, and large data is told one", () => {
    const schema = { type: "array", items: { type: "string" } };
    expect(says(schema, Array(100).fill(1))).toHaveLength(20);
    expect(says(schema, Array(100_000).fill(1))).toEqual(["data[0]: must be a string, but is 1"]);
  });

  it("E30: hostile names in data are names", () => {
    const data: unknown = JSON.parse('{"id":"1","__proto__":{"x":1},"a~/b":1}');
    expect(says(ORDER, data)).toEqual(["data.__proto__: is not known here", 'data["a~/b"]: is not known here']);
    expect(says({ additionalProperties: { type: "string" } }, JSON.parse('{"a~/b":1}'))).toEqual([
      'data["a~/b"]: must be a string, but is 1',
    ]);
  });
});

describe("unions", () => {
  const shape = {
    oneOf: [
      { type: "object", properties: { kind: { const: "circle" }, r: { type: "number" } }, required: ["kind", "r"] },
      { type: "object", properties: { kind: { const: "square" }, side: { type: "number" } }, required: ["kind", "side"] },
    ],
  };

  it("E31: the branch that the data means speaks", () => {
    expect(says(shape, { kind: "square", side: "x" })).toEqual(['data.side: must be a number, but is "x"']);
    expect(says({ properties: { shape } }, { shape: { kind: "circle" } })).toEqual(["data.shape.r: is missing"]);
    expect(says({ anyOf: [{ type: "null" }, { type: "integer", minimum: 1 }] }, 0)).toEqual([
      "data: must be a whole number of at least 1, but is 0",
    ]);
  });

  it("E31: else the union does", () => {
    expect(says({ anyOf: [{ type: "string" }, { type: "integer" }, { const: null }] }, true)).toEqual([
      "data: must be a string or a whole number or null, but is true",
    ]);
    expect(says(shape, { kind: "triangle" })).toEqual(['data.kind: must be one of "circle", "square", but is "triangle"']);
    expect(says(shape, {})).toEqual(["data: must be of one of the schema's forms, but is an object"]);
    expect(says(shape, "circle")).toEqual(['data: must be an object, but is "circle"']);
    expect(says({ oneOf: [{ type: "number" }, { type: "integer" }] }, 1)).toEqual([
      "data: must be of exactly one of the schema's forms, but is 1",
    ]);
  });

  it("E31: behind references too", () => {
    const schema = {
      $defs: { a: { type: "object", properties: { next: { anyOf: [{ $ref: "#/$defs/a" }, { type: "null" }] }, n: { type: "number" } } } },
      $ref: "#/$defs/a",
    };
    expect(says(schema, { next: { next: null, n: 1 } })).toEqual([]);
    expect(says(schema, { next: { n: "x" } })).toEqual(['data.next.n: must be a number, but is "x"']);
  });
});

describe("schemas", () => {
  it("E28: the dialect is the one that $schema names", () => {
    const draft07 = { $schema: "http://json-schema.org/draft-07/schema#", items: [{ type: "string" }], additionalItems: false };
    expect(says(draft07, ["a"])).toEqual([]);
    expect(says(draft07, ["a", 1])).toEqual(["data: must have at most 1 item"]);
    const draft2020 = { $schema: "https://json-schema.org/draft/2020-12/schema", prefixItems: [{ type: "string" }] };
    expect(says(draft2020, [1])).toEqual(["data[0]: must be a string, but is 1"]);
    expect(says({ $schema: "https://example.com/own-dialect", type: "string" }, 1)).toHaveLength(1);
  });

  it("E28: unknown keywords and formats are passed over, and data is not changed", () => {
    const data = { a: "1" };
    expect(says({ "x-note": 1, discriminator: "a", properties: { a: { format: "postcode" }, b: { default: 5 } } }, data)).toEqual([]);
    expect(data).toEqual({ a: "1" });
    expect(says({ $async: true, type: "string" }, 1)).toHaveLength(1);
    expect(says(true, 1)).toEqual([]);
  });

  it("E28: one id may be used by many schemas, and none can take the place of a meta-schema", () => {
    expect(says({ $id: "https://example.com/s", type: "string" }, 1)).toHaveLength(1);
    expect(says({ $id: "https://example.com/s", type: "number" }, 1)).toEqual([]);
    expect(says({ $id: "https://json-schema.org/draft/2020-12/schema", type: "number" }, 1)).toEqual([]);
    expect(says({ $ref: "https://json-schema.org/draft/2020-12/schema" }, { type: "string" })).toEqual([]);
  });

  it.each([
    [{ type: "strng" }, "schema is invalid"],
    [{ $ref: "https://example.com/elsewhere" }, "can't resolve reference"],
    [{ pattern: "(" }, "Invalid regular expression"],
    ["text", "must be a JSON Schema"],
    [null, "must be a JSON Schema"],
  ])("E29: %j cannot be compiled", (schema, words) => {
    expect(() => compileSchema(schema, "event order.placed")).toThrow(
      expect.objectContaining({
        code: "bad_option",
        message: expect.stringMatching(new RegExp(`^the schema of event order\\.placed .*${words}`)),
      }),
    );
  });

  it("E28: what zod and valibot write is understood", () => {
    const fromZod = z.toJSONSchema(z.object({ email: z.email(), at: z.iso.datetime(), qty: z.int().min(1), note: z.string().nullable() }));
    const fromValibot = toJsonSchema(
      v.object({ email: v.pipe(v.string(), v.email()), qty: v.pipe(v.number(), v.integer(), v.minValue(1)), note: v.nullable(v.string()) }),
    );
    const good = { email: "ann@example.com", at: "2026-01-31T12:00:00Z", qty: 1, note: null };
    const bad = { email: "ann", at: "now", qty: 0, note: 5 };
    const words = [
      'data.email: must be an email address, but is "ann"',
      "data.note: must be a string or null, but is 5",
      "data.qty: must be a whole number of at least 1, but is 0",
    ];
    expect([says(fromZod, good), says(fromValibot, good)]).toEqual([[], []]);
    expect(says(fromZod, bad).sort()).toEqual(['data.at: must be a date and time such as 2026-01-31T12:00:00Z, but is "now"', ...words]);
    expect(says(fromValibot, bad).sort()).toEqual(words);
  });
});
