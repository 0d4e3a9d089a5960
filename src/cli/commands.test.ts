import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { answered, deadView, eventView, fn, release } from "../control/testing-support/scripted-rooms.ts";
import { MillraceError } from "../core/errors.ts";
import { checkNode } from "./examine.ts";
import { makeColors } from "./io.ts";
import { ControlStage } from "./testing-support/control-stage.ts";

const stage = new ControlStage();

function logged(text: string): void {
  stage.rooms.logs.write({ atMs: 9000, fn: "greet", invocation: "inv1", level: "info", text });
}

describe("finding the node", () => {
  it("looks in the folders above", async () => {
    stage.io.cwd = join(stage.folder, "functions", "deep");
    await mkdir(stage.io.cwd, { recursive: true });
    expect(await stage.millrace("functions")).toBe(0);
  });

  it("takes --data by its word", async () => {
    expect(await stage.millrace("functions", "--data", "elsewhere")).toBe(1);
    expect(stage.io.stderr).toBe(
      `millrace: no node runs on the data directory ${join(stage.folder, "elsewhere")}\n` +
        "  → Start the node (`millrace dev` or `millrace start`), or name its data directory with --data.\n  code: unreachable\n",
    );
  });

  it("says when the node no longer answers", async () => {
    await stage.stopNode();
    expect(await stage.millrace("functions")).toBe(1);
    expect(stage.io.stderr).toContain("does not answer");
    expect(stage.io.stderr).toContain("code: unreachable");
  });
});

describe("emit", () => {
  it("sends what the line says", async () => {
    expect(await stage.millrace("emit", "a.b", '{"x":1}', "--key", "k", "--subject", "s", "--source", "/s", "--id", "i1")).toBe(0);
    expect(stage.rooms.ingested[0]?.event).toMatchObject({
      type: "a.b",
      data: { x: 1 },
      partitionkey: "k",
      subject: "s",
      source: "/s",
      id: "i1",
    });
    expect(stage.io.stdout).toBe("accepted a.b i1 (seq 1)\n");
    expect(stage.io.stderr).toBe("");
  });

  it("takes data from a file and from standard input", async () => {
    await writeFile(join(stage.folder, "data.json"), "[1]");
    await stage.millrace("emit", "a", "@data.json");
    stage.io.input = '"in"';
    await stage.millrace("emit", "a", "-");
    await stage.millrace("emit", "a");
    expect(stage.rooms.ingested.map(({ event }) => event.data)).toEqual([[1], "in", undefined]);
  });

  it("prints the node's answer as JSON", async () => {
    await stage.millrace("emit", "a", "--id", "i", "--at", "2030-01-01T00:00:00Z", "--json");
    expect(stage.io.json).toEqual([{ id: "i", seq: 1, duplicate: false, dueMs: Date.UTC(2030, 0, 1) }]);
  });

  it("tells a repetition", async () => {
    stage.rooms.ingestResult = { kind: "accepted", events: [{ seq: 1, duplicate: true }] };
    await stage.millrace("emit", "a", "--id", "i");
    expect(stage.io.stdout).toContain("known already a i");
  });

  it("refuses data that is no JSON: on the line with 2, elsewhere with 1", async () => {
    expect(await stage.millrace("emit", "a", "{x:1}")).toBe(2);
    expect(stage.io.stderr).toContain("DATA is no JSON");
    stage.io.input = "nope";
    expect(await stage.millrace("emit", "a", "-")).toBe(1);
    expect(await stage.millrace("emit", "a", "@missing.json")).toBe(1);
    expect(stage.io.stderr).toContain("missing.json cannot be read");
    expect(stage.rooms.ingested).toEqual([]);
  });

  it("shows the node's refusal with its cure", async () => {
    stage.rooms.ingestResult = { kind: "refused", error: new MillraceError("schema_mismatch", "data.qty must be a number") };
    expect(await stage.millrace("emit", "a")).toBe(1);
    expect(stage.io.stderr).toBe(
      "millrace: data.qty must be a number\n  → Send data that fits the schema of this event type.\n  code: schema_mismatch\n",
    );
  });
});

describe("invoke", () => {
  it("shows the log and how it ended", async () => {
    logged("working");
    expect(await stage.millrace("invoke", "greet", '{"to":"x"}')).toBe(0);
    expect(stage.rooms.invoked).toEqual([{ fn: "greet", data: { to: "x" } }]);
    expect(stage.io.stderr).toMatch(/INFO {2}greet {2}working\ndone greet in 3.5ms\n$/);
    expect(stage.io.stdout).toBe("");
  });

  it("puts the answer alone on stdout", async () => {
    stage.rooms.httpResult = answered('{"ok":true}', "application/json", 201);
    expect(await stage.millrace("invoke", "hello", "{}", "-H", "X-A: 1")).toBe(0);
    expect(stage.io.stdout).toBe('{"ok":true}\n');
    expect(stage.io.stderr).toMatch(/^201 hello answered in .* \(application\/json\)\n$/);
    expect(stage.rooms.requests[0]?.head.headers).toEqual(["x-a", "1", "content-type", "application/json"]);
  });

  it("exits with 1 when the function fails", async () => {
    const error = { name: "Error", message: "no luck", stack: "Error: no luck\n    at greet (functions/greet.ts:3:9)" };
    stage.rooms.invokeResult = { kind: "retrying", invocation: "i", delivery: 1, error, dueMs: 13_000 };
    expect(await stage.millrace("invoke", "greet")).toBe(1);
    expect(stage.io.stderr).toContain("failed greet, the next attempt is in 3s\nError: no luck\n    at greet (functions/greet.ts:3:9)\n");
    stage.rooms.invokeResult = { kind: "dead", invocation: "i", delivery: 7, error };
    expect(await stage.millrace("invoke", "greet")).toBe(1);
    expect(stage.io.stderr).toContain("millrace dead show 7");
    stage.rooms.httpResult = {
      kind: "failed",
      invocation: "i",
      error: new MillraceError("function_timeout", "too slow"),
      retryAfterMs: null,
    };
    expect(await stage.millrace("invoke", "hello")).toBe(1);
    expect(stage.io.stderr).toContain("too slow\n  → Make the function faster");
    stage.rooms.httpResult = answered("oh", "text/plain", 500);
    expect(await stage.millrace("invoke", "hello", "--json")).toBe(1);
    expect(stage.io.json).toMatchObject([{ outcome: "answered", status: 500, text: "oh" }]);
  });

  it("names what is wrong with the line, or with the name", async () => {
    expect(await stage.millrace("invoke", "hello", "-H", "nonsense")).toBe(2);
    expect(await stage.millrace("invoke", "nobody")).toBe(1);
    expect(stage.io.stderr).toContain('there is no function "nobody"');
  });
});

describe("events test", () => {
  const event = JSON.stringify({
    type: "order.placed",
    data: {
      total: "250",
      lines: [
        { sku: "x", qty: 1 },
        { sku: "y", qty: 2 },
      ],
    },
  });

  it("needs no node for what is written out, and says of every condition whether it holds", async () => {
    await stage.stopNode();
    const pattern = {
      type: [{ prefix: "order." }],
      data: { total: [{ numeric: [">", 100] }], lines: { sku: ["x"], qty: [2] }, vip: [{ exists: false }] },
    };
    expect(await stage.millrace("events", "test", JSON.stringify(pattern), event)).toBe(1);
    expect(stage.io.stdout).toBe(
      [
        "✗ the event does not match",
        "     PATH            WANTED           FOUND",
        '  ✓  type            prefix "order."  "order.placed"',
        '  ✗  data.total      > 100            "250"',
        '     → "250" is a string, and "numeric" looks at numbers only: send it without quotes',
        '  ✓  data.lines.sku  "x"              "x"',
        "  ✗  data.lines.qty  2                1, 2",
        "     → data.lines[1].qty fits, and so does data.lines[0].sku: of a list, one element must fit all that is asked",
        "  ✓  data.vip        nothing          nothing",
        "",
      ].join("\n"),
    );
    expect(stage.io.stderr).toBe("");
  });

  it("ends with 0 for a match", async () => {
    expect(await stage.millrace("events", "test", '{"type":["a","order.placed"]}', event)).toBe(0);
    expect(stage.io.stdout).toBe(
      '✓ the event matches\n     PATH  WANTED                 FOUND\n  ✓  type  "a" or "order.placed"  "order.placed"\n',
    );
  });

  it("shows of several branches the one that came furthest, and how far the others came", async () => {
    const branches = Array.from({ length: 8 }, (_, i) => ({ data: { n: [i] }, subject: ["s"] }));
    const pattern = { type: ["order.placed"], $or: [{ subject: ["s"] }, ...branches, { data: { total: ["250"] }, id: ["i"] }] };
    expect(await stage.millrace("events", "test", JSON.stringify(pattern), event)).toBe(1);
    expect(stage.io.stdout).toContain("Of 10 branches ($or) number 10 came furthest:");
    expect(stage.io.stdout).toContain('  branch 1  1 of 2 hold  ✗  subject  "s"  nothing\n');
    expect(stage.io.stdout).toContain("  branch 2  1 of 3 hold  ✗  data.n   0    nothing\n");
    expect(stage.io.stdout).toMatch(/ {2}… and 4 more\n$/);
    stage.io.stdout = "";
    expect(await stage.millrace("events", "test", '{"$or":[{"id":["i"]},{"type":["order.placed"]}]}', event)).toBe(0);
    expect(stage.io.stdout).toContain("Of 2 branches ($or) number 2 matches:");
    expect(stage.io.stdout).not.toContain("branch 1");
  });

  it("says every operator in words, and keeps what it shows on its line", async () => {
    const pattern = {
      a: ["x", 1, true, null],
      b: [{ prefix: { "equals-ignore-case": "x" } }, { suffix: "y" }, { wildcard: "z*" }],
      c: [{ "equals-ignore-case": "x" }, { numeric: [">=", 1, "<", 2] }],
      d: [{ cidr: "10.0.0.0/8" }, { exists: true }],
      e: [{ "anything-but": ["x", "y"] }],
      f: [{ "anything-but": { prefix: ["x", "y"] } }],
      "g\u001b[31m\n": ["x".repeat(100)],
    };
    expect(await stage.millrace("events", "test", JSON.stringify(pattern), '{"a":{"b":[1]}}')).toBe(1);
    for (const words of [
      '"x" or 1 or true or null',
      'prefix "x" in any case or suffix "y" or wildcar…',
      '"x" in any case or >= 1 and < 2',
      "an address in 10.0.0.0/8 or any value",
      'anything but "x", "y"',
      'anything but prefix "x", "y"',
      '{"b":[1]}',
      "g�[31m�",
      `"${"x".repeat(46)}…`,
    ])
      expect(stage.io.stdout).toContain(words);
    expect(stage.io.stdout).not.toContain("\u001b");
  });

  it("takes pattern and event from files and standard input", async () => {
    await writeFile(join(stage.folder, "p.json"), '{"type":["order.placed"]}');
    await writeFile(join(stage.folder, "e.json"), event);
    expect(await stage.millrace("events", "test", "@p.json", "@e.json")).toBe(0);
    stage.io.input = event;
    expect(await stage.millrace("events", "test", "@p.json", "-")).toBe(0);
    stage.io.input = '{"type":["other"]}';
    expect(await stage.millrace("events", "test", "-", "@e.json")).toBe(1);
  });

  it("asks the node for an event of its log, by seq or by id", async () => {
    stage.rooms.eventViews = [eventView(1), { ...eventView(3), id: "1001" }];
    expect(await stage.millrace("events", "test", '{"data":{"to":["x"]}}', "1")).toBe(0);
    expect(stage.io.stdout).toContain("✓ greeting.sent e1 (seq 1) matches\n");
    stage.io.stdout = "";
    expect(await stage.millrace("events", "test", '{"data":{"to":["y"]}}', "1001", "--json")).toBe(1);
    expect(stage.io.json[0]).toMatchObject({ kind: "pattern", matched: false, event: { seq: 3 }, failed: { path: "data.to", found: "x" } });
  });

  it("--json prints the same with and without a node", async () => {
    const pattern = '{"data":{"to":["y"]}}';
    expect(await stage.millrace("events", "test", pattern, '{"data":{"to":"x"}}', "--json")).toBe(1);
    const [local] = stage.io.json as object[];
    stage.rooms.eventViews = [eventView(1)];
    await stage.millrace("events", "test", pattern, "e1", "--json");
    expect(stage.io.json[1]).toEqual({ ...local, event: { seq: 1, id: "e1", source: "/test", type: "greeting.sent" } });
  });

  it("tells why an event woke a function, or did not", async () => {
    stage.rooms.eventViews = [eventView(1), { ...eventView(3), deliveries: [] }, eventView(5, "other")];
    expect(await stage.millrace("events", "test", "--fn", "greet", "1")).toBe(0);
    expect(stage.io.stdout).toBe(
      [
        "✓ greet has a trigger that matches greeting.sent e1 (seq 1)",
        "✓ on greeting.* where …",
        "     PATH     WANTED                 FOUND",
        '  ✓  type     wildcard "greeting.*"  "greeting.sent"',
        '  ✓  data.to  "x"                    "x"',
        "It woke greet: delivery 2, done.",
        "",
      ].join("\n"),
    );
    stage.io.stdout = "";
    expect(await stage.millrace("events", "test", "--fn", "greet", "e3")).toBe(0);
    expect(stage.io.stdout).toContain("It has no delivery to greet all the same: the release that was live when it came decided that");
    stage.io.stdout = "";
    expect(await stage.millrace("events", "test", "--fn", "greet", "5")).toBe(1);
    expect(stage.io.stdout).toContain("✗ greet has no trigger that matches other e5 (seq 5)\n✗ on greeting.* where …\n");
    expect(stage.io.stdout).toContain("It went to greet all the same (delivery 6, done): it was for this function alone");
    stage.io.stdout = "";
    expect(await stage.millrace("events", "test", "--fn", "greet", '{"type":"greeting.sent","data":{"to":"X"}}')).toBe(1);
    expect(stage.io.stdout).toMatch(/^✗ greet has no trigger that matches the event\n[^]*would match\n$/);
    stage.io.stdout = "";
    expect(await stage.millrace("events", "test", "--fn", "hello", "1")).toBe(1);
    expect(stage.io.stdout).toBe("✗ hello has no event trigger: no event wakes it\n");
  });

  it("says of an expression what each operand came to, and needs no node for what is written out", async () => {
    await stage.stopNode();
    const sql = "type LIKE 'order.%' AND size > 5 AND\n  (EXISTS test OR region <> 'EU')";
    const sized = '{"type":"order.placed","size":5}';
    expect(await stage.millrace("events", "test", "--sql", sql, sized)).toBe(1);
    expect(stage.io.stdout).toBe(
      [
        "✗ the event does not match",
        "     EXPRESSION                           VALUE           FOUND",
        "  ✓  type LIKE 'order.%'                  true            type \"order.placed\"",
        "  ✗  AND size > 5                         false           size 5",
        "     → 5 is the bound itself, which is left out; size >= 5 would be true",
        "  –  AND (EXISTS test OR region <> 'EU')  error, skipped  test nothing, region nothing",
        '     the event has no attribute "region"',
        "     → an expression with an error does not match, and without region this is one: ask EXISTS region before",
        "",
      ].join("\n"),
    );
    stage.io.stdout = "";
    expect(await stage.millrace("events", "test", "--sql", "type LIKE 'order.%'", sized)).toBe(0);
    expect(stage.io.stdout).toBe(
      "✓ the event matches\n     EXPRESSION           VALUE  FOUND\n  ✓  type LIKE 'order.%'  true   type \"order.placed\"\n",
    );
    stage.io.stdout = "";
    expect(await stage.millrace("events", "test", "--sql", "size", sized, "--json")).toBe(1);
    expect(stage.io.json[0]).toMatchObject({ kind: "sql", event: null, matched: false, value: 5, error: null, failed: { source: "size" } });
  });

  it("takes an expression from a file and from standard input, and an event from the log", async () => {
    stage.rooms.eventViews = [eventView(1)];
    await writeFile(join(stage.folder, "e.sql"), "type LIKE 'greeting.%'\n  AND NOT EXISTS subject\n");
    expect(await stage.millrace("events", "test", "--sql", "@e.sql", "1")).toBe(0);
    expect(stage.io.stdout).toContain("✓ greeting.sent e1 (seq 1) matches\n");
    stage.io.stdout = "";
    stage.io.input = "subject = 'x'";
    expect(await stage.millrace("events", "test", "--sql", "-", "e1", "--json")).toBe(1);
    expect(stage.io.json.at(-1)).toMatchObject({ kind: "sql", event: { seq: 1 }, error: { kind: "missing_attribute" } });
  });

  it("shows the expression of a trigger below its pattern", async () => {
    const trigger = {
      kind: "event" as const,
      type: "greeting.*",
      where: { data: { $or: [{ to: ["x"] }, { to: ["y"] }] } },
      sql: "size > 5",
    };
    stage.rooms.current = release([{ ...fn("greet", "event"), triggers: [trigger] }]);
    expect(await stage.millrace("events", "test", "--fn", "greet", '{"type":"greeting.sent","data":{"to":"y"},"size":4}')).toBe(1);
    expect(stage.io.stdout).toBe(
      [
        "✗ greet has no trigger that matches the event",
        "✗ on greeting.* where … sql …",
        "  Of 2 branches ($or) number 2 matches:",
        "     PATH     WANTED                 FOUND",
        '  ✓  type     wildcard "greeting.*"  "greeting.sent"',
        '  ✓  data.to  "y"                    "y"',
        "     EXPRESSION  VALUE  FOUND",
        "  ✗  size > 5    false  size 4",
        "",
      ].join("\n"),
    );
  });

  it("ends with 2 for every error, so that 1 says one thing only", async () => {
    const wrong = async (...line: string[]): Promise<string> => {
      stage.io.stderr = "";
      expect(await stage.millrace("events", "test", ...line)).toBe(2);
      return stage.io.stderr;
    };
    expect(await wrong()).toContain("events test needs PATTERN");
    expect(await wrong("{}")).toContain("needs a PATTERN and an EVENT, or --sql EXPRESSION or --fn NAME and an EVENT");
    expect(await wrong("--fn", "greet", '{"a":[1]}', "{}")).toContain("with --fn there is no PATTERN");
    expect(await wrong("--sql", "a = 1", '{"a":[1]}', "{}")).toContain("with --sql there is no PATTERN");
    expect(await wrong("--sql", "a = 1", "--fn", "greet", "{}")).toContain("against --sql or against --fn, not both");
    expect(await wrong("--sql", "-", "-")).toContain("standard input can be the EXPRESSION or the EVENT, not both");
    expect(await wrong("--sql", "a == 1", "{}")).toContain("the expression is wrong: sql: at character 2");
    expect(await wrong("--sql", "@missing.sql", "{}")).toContain("missing.sql cannot be read");
    expect(await wrong("-", "-")).toContain("not both");
    expect(await wrong("{a:1}", "{}")).toContain("PATTERN is no JSON");
    expect(await wrong('{"a":[1]}', "{a:1}")).toContain("EVENT is no JSON");
    expect(await wrong('{"a":[1]}', "[1]")).toContain("EVENT is no JSON object\n");
    expect(await wrong('{"a":1}', "{}")).toContain("the pattern is wrong: a: a field holds a list");
    expect(await wrong("@missing.json", "{}")).toContain("missing.json cannot be read");
    expect(await wrong('{"a":[1]}', "99")).toContain('there is no event "99"');
    expect(await wrong("--fn", "gret", "{}")).toContain('there is no function "gret" (did you mean "greet"?)');
    expect(await wrong("--data", "elsewhere", '{"a":[1]}', "1")).toContain("no node runs");
  });

  it("marks and hints have colours on a terminal", async () => {
    stage.io.outColors = makeColors(true);
    await stage.millrace("events", "test", '{"type":["order.*"]}', event);
    expect(stage.io.stdout).toContain("\u001b[31m✗\u001b[39m");
    expect(stage.io.stdout).toContain('\u001b[33m→ "order.*" stands for itself alone; {"wildcard":"order.*"} would match\u001b[39m');
  });
});

describe("looking", () => {
  it("lists functions", async () => {
    await stage.millrace("functions");
    expect(stage.io.stdout).toBe(
      [
        "FUNCTION  KIND  WOKEN BY               WAITING  RUNNING  PARKED  DEAD  INSTANCES  COLD STARTS  FILE",
        "gone            no longer exists             1        0       0     0          0            0",
        "greet     fn    on greeting.* where …        2        1       0     0          0            0  functions/greet.ts",
        "hello     fn    POST /hello                  0        0       0     0          1   3 (2.1 ms)  functions/hello.ts",
        "",
      ].join("\n"),
    );
    expect(stage.io.stderr).toContain("hello did not start, 2 times in a row; it is tried again");
    expect(stage.io.stderr).toContain(": TypeError: no good\n");
    stage.io.stdout = "";
    await stage.millrace("functions", "--json");
    expect(stage.io.json).toMatchObject([{ name: "gone" }, { name: "greet" }, { name: "hello" }]);
  });

  it("lists events, and shows one", async () => {
    stage.rooms.eventViews = [eventView(1), eventView(3, "other")];
    await stage.millrace("events", "--limit", "1");
    expect(stage.io.stdout).toMatch(/^SEQ {2}AGE .*\n {2}3 {2}4s ago {2}other {2}e3 {2}1 done\n$/);
    stage.io.stdout = "";
    await stage.millrace("events", "show", "e1");
    expect(stage.io.stdout).toContain('"type": "greeting.sent"');
    expect(stage.io.stdout).toContain("greet  done 4s ago  key x  seq 2");
    stage.io.stdout = "";
    await stage.millrace("events", "--json", "--type", "greeting.sent");
    expect(stage.io.json).toMatchObject([{ seq: 1 }]);
    expect(await stage.millrace("events", "--type", "none")).toBe(0);
    expect(stage.io.stderr).toBe("There are no such events.\n");
  });

  it("follows events until Ctrl-C", async () => {
    stage.rooms.eventViews = [eventView(1)];
    const code = stage.millrace("events", "-f", "--json");
    await stage.io.printed('"seq":1');
    stage.rooms.eventViews = [eventView(1), eventView(3)];
    await stage.io.printed('"seq":3');
    stage.io.interrupt();
    expect(await code).toBe(0);
    expect(stage.io.json).toMatchObject([{ seq: 1 }, { seq: 3 }]);
  });

  it("shows logs", async () => {
    logged("one");
    logged("two");
    stage.rooms.logs.flush();
    await stage.millrace("logs", "--limit", "1");
    expect(stage.io.stdout).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO {2}greet {2}two\n$/);
    await stage.millrace("logs", "--function", "nobody");
    expect(stage.io.stderr).toBe("No function has logged anything that fits.\n");
  });

  it("follows logs until Ctrl-C", async () => {
    logged("before");
    const code = stage.millrace("logs", "-f");
    await stage.io.printed("before");
    logged("after");
    await stage.io.printed("after");
    stage.io.interrupt();
    expect(await code).toBe(0);
  });
});

describe("dead letters", () => {
  beforeEach(() => {
    stage.rooms.deadViews = [deadView(7), deadView(9)];
  });

  it("are listed and shown", async () => {
    await stage.millrace("dead", "list");
    expect(stage.io.stdout).toContain("  7  4s ago  greet     greeting.sent         1  no luck\n");
    stage.io.stdout = "";
    await stage.millrace("dead", "show", "7");
    expect(stage.io.stdout).toContain("greet gave up greeting.sent");
    expect(stage.io.stdout).toContain("    attempt 5, 1970-01-01T00:00:06.000Z (4s ago), invocation i\n");
    expect(stage.io.stdout).toContain("      Error: no luck\n          at greet (functions/greet.ts:3:9)");
    stage.io.stdout = "";
    await stage.millrace("dead", "list", "--limit", "1", "--json");
    expect(stage.io.json).toMatchObject([{ seq: 7, errors: [{ message: "no luck" }] }]);
    expect(await stage.millrace("dead", "show", "8")).toBe(1);
    expect(stage.io.stderr).toContain("there is no delivery 8");
  });

  it("are redriven, by name and by filter, with progress where a person looks on", async () => {
    expect(await stage.millrace("dead", "redrive", "9")).toBe(0);
    expect(stage.io.stdout).toBe("1 redriven\n");
    expect(stage.io.stderr).toBe("");
    stage.io.errIsTerminal = true;
    expect(await stage.millrace("dead", "redrive", "--function", "greet")).toBe(0);
    expect(stage.io.stderr).toContain("1 of 1 redriven");
    expect(stage.rooms.deadViews).toEqual([]);
  });

  it("that are not there are told", async () => {
    expect(await stage.millrace("dead", "redrive", "9", "8")).toBe(1);
    expect(stage.io.stdout).toBe("1 redriven\n");
    expect(stage.io.stderr).toBe("not a dead letter: 1 of those named\n");
  });

  it("are purged, more than named ones only after a yes", async () => {
    expect(await stage.millrace("dead", "purge", "--all")).toBe(2);
    expect(stage.io.stderr).toContain("say --yes");
    stage.io.answer = "n";
    expect(await stage.millrace("dead", "purge", "--all")).toBe(1);
    expect(stage.rooms.deadViews).toHaveLength(2);
    stage.io.answer = "Y";
    expect(await stage.millrace("dead", "purge", "--type", "greeting.sent")).toBe(0);
    expect(stage.io.questions.at(-1)).toContain("all dead letters that fit");
    stage.rooms.deadViews = [deadView(7)];
    stage.io.stdout = "";
    expect(await stage.millrace("dead", "purge", "--all", "--yes", "--json")).toBe(0);
    expect(stage.io.json.at(-1)).toEqual({ purged: 1, remaining: 0, finished: true });
  });

  it("want to be selected in one way", async () => {
    for (const words of [[], ["7", "--all"], ["--all", "--function", "greet"], ["seven"]]) {
      expect(await stage.millrace("dead", "redrive", ...words)).toBe(2);
    }
    expect(stage.rooms.pieces).toEqual([]);
  });
});

describe("init", () => {
  it("makes an app and says what comes next", async () => {
    expect(await stage.millrace("init", "My Shop")).toBe(0);
    const made = (await readdir(join(stage.folder, "My Shop"), { recursive: true })).sort();
    expect(made).toEqual(
      [".gitignore", "README.md", "functions", "functions/hello.ts", "package.json", "test", "test/hello.test.ts", "tsconfig.json"].sort(),
    );
    expect(JSON.parse(await readFile(join(stage.folder, "My Shop", "package.json"), "utf8"))).toMatchObject({
      name: "my-shop",
      private: true,
    });
    expect(stage.io.stdout).toContain("cd My Shop\n");
  });

  it("names the types that its test needs: nobody finds them by himself since TypeScript 6", async () => {
    await stage.millrace("init", "app");
    const json = async (file: string): Promise<unknown> => JSON.parse(await readFile(join(stage.folder, "app", file), "utf8"));
    expect(await json("tsconfig.json")).toMatchObject({ compilerOptions: { types: ["node"] } });
    expect(await json("package.json")).toMatchObject({ devDependencies: { "@types/node": expect.any(String) } });
  });

  it("refuses a folder that is not empty, but not an empty repository", async () => {
    await mkdir(join(stage.folder, "a", ".git"), { recursive: true });
    expect(await stage.millrace("init", "a", "--json")).toBe(0);
    expect(stage.io.json).toMatchObject([{ directory: join(stage.folder, "a"), files: expect.arrayContaining(["functions/hello.ts"]) }]);
    expect(await stage.millrace("init", "a")).toBe(1);
    expect(stage.io.stderr).toContain("is not empty");
    await writeFile(join(stage.folder, "file"), "");
    expect(await stage.millrace("init", "file")).toBe(1);
    expect(stage.io.stderr).toContain("file cannot be used");
  });
});

describe("settings", () => {
  it("that were typed and are wrong are a wrong command line", async () => {
    for (const command of ["start", "dev", "doctor"]) {
      stage.io.stderr = "";
      expect(await stage.millrace(command, "--port", "99999")).toBe(2);
      expect(stage.io.stderr).toContain('millrace: --port: "99999" is not a port');
      expect(stage.io.stderr).toContain(`See \`millrace ${command} --help\``);
    }
  });

  it("that come from a variable and are wrong are a failure", async () => {
    stage.io.env["MILLRACE_PORT"] = "99999";
    expect(await stage.millrace("start")).toBe(1);
    expect(stage.io.stderr).toContain('millrace: MILLRACE_PORT: "99999" is not a port');
  });
});

describe("doctor", () => {
  interface Finding {
    check: string;
    state: string;
    cure: string | null;
  }

  async function examine(...words: string[]): Promise<{ code: number; findings: Map<string, Finding> }> {
    stage.io.stdout = "";
    const code = await stage.millrace("doctor", ...words, "--json");
    return { code, findings: new Map((stage.io.json as Finding[]).map((finding) => [finding.check, finding])) };
  }

  async function freePort(): Promise<{ port: number; close: () => Promise<void> }> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    return {
      port: typeof address === "object" && address !== null ? address.port : 0,
      close: () => new Promise((resolve) => server.close(() => resolve())),
    };
  }

  it("finds all well in a new app", async () => {
    await stage.millrace("init", "app");
    const { port, close } = await freePort();
    await close();
    const { findings } = await examine("app", "--port", String(port));
    // Which wall there is depends on the machine: examine-wall.test.ts has them all.
    expect(["wall", "network", "limits"].map((check) => findings.get(check)?.state)).not.toContain(undefined);
    for (const check of ["node", "esbuild", "data", "app", `port ${port}`]) {
      expect([check, findings.get(check)?.state]).toEqual([check, "ok"]);
    }
    expect(existsSync(join(stage.folder, "app", ".millrace"))).toBe(false);
  });

  it("says what fails and what to do, and exits with 1", async () => {
    await stage.millrace("init", "app");
    await writeFile(join(stage.folder, "app", "functions", "broken.ts"), "export const = 3;");
    await writeFile(join(stage.folder, "app", "data"), "a file");
    const taken = await freePort();
    const { code, findings } = await examine("app", "--port", String(taken.port), "--data", "app/data/deeper");
    await taken.close();
    expect(code).toBe(1);
    expect(findings.get("app")).toMatchObject({ state: "fail", says: expect.stringContaining("functions/broken.ts:1:") });
    expect(findings.get(`port ${taken.port}`)).toMatchObject({ state: "fail", cure: expect.stringContaining("--port") });
    expect(findings.get("data")).toMatchObject({ state: "fail", cure: expect.stringContaining("--data") });
  });

  it("is made for people, too", async () => {
    await stage.millrace("doctor");
    expect(stage.io.stdout).toContain("ok    node");
    expect(stage.io.stdout).toMatch(/warn {2}app .*\n {20}→ /);
  });

  it("knows a Node.js that is too old", () => {
    expect(checkNode("20.19.0")).toMatchObject({ state: "fail", cure: expect.stringContaining("24") });
    expect(checkNode("24.0.0").state).toBe("ok");
  });
});

describe("version", () => {
  it("prints it", async () => {
    await stage.millrace("version");
    expect(stage.io.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    stage.io.stdout = "";
    await stage.millrace("version", "--json");
    expect(stage.io.json).toMatchObject([{ node: process.versions.node }]);
  });
});
