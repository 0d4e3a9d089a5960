import { describe, expect, it } from "vitest";
import { MillraceError } from "../core/errors.ts";
import { type Command, defineCommand } from "./command.ts";
import { COMMANDS } from "./commands/all.ts";
import { makeColors, wantsColor } from "./io.ts";
import { run } from "./run.ts";
import { ScriptedIo } from "./testing-support/scripted-io.ts";

interface Seen {
  args: readonly string[];
  options: unknown;
}

function trial(): { commands: Command[]; seen: Seen[] } {
  const seen: Seen[] = [];
  const ship = defineCommand({
    name: "ship",
    summary: "Ship it",
    args: [
      { name: "PARCEL", summary: "What to ship", kind: "required" },
      { name: "PLACE", summary: "Where to", kind: "optional" },
    ],
    options: {
      key: { type: "string", value: "KEY", summary: "A key", short: "k" },
      level: { type: "string", value: "LEVEL", summary: "A level", choices: ["low", "high"], standard: "low" },
      limit: { type: "integer", value: "N", min: 1, max: 10, standard: 5, summary: "So many" },
      header: { type: "strings", value: "H", summary: "A header" },
      json: { type: "boolean", summary: "JSON" },
    },
    examples: [{ line: "millrace ship lamp", says: "ships a lamp" }],
    run: async ({ args, options }) => {
      seen.push({ args, options });
      if (args[0] === "broken") throw new MillraceError("disk_full", "no room");
      if (args[0] === "defect") throw new TypeError("x is undefined");
      return args[0] === "late" ? 1 : 0;
    },
  });
  const list = defineCommand({ name: "box list", summary: "List", args: [], options: {}, examples: [], run: async () => {} });
  const pack = defineCommand({
    name: "box pack",
    summary: "Pack",
    args: [{ name: "SEQ", summary: "", kind: "any-number" }],
    options: {},
    examples: [],
    run: async ({ args }) => void seen.push({ args, options: {} }),
  });
  return { commands: [ship, list, pack], seen };
}

async function line(text: string): Promise<{ code: number; io: ScriptedIo; seen: Seen[] }> {
  const { commands, seen } = trial();
  const io = new ScriptedIo("/");
  const code = await run(text.split(" ").filter(Boolean), commands, "9.9.9", io);
  return { code, io, seen };
}

describe("a command line", () => {
  it("gives options their types and standards", async () => {
    expect((await line("ship lamp")).seen).toEqual([
      { args: ["lamp"], options: { key: undefined, level: "low", limit: 5, header: [], json: false, help: false, debug: false } },
    ]);
    const { seen } = await line("ship -k=a --level high --limit 7 lamp --header a --header b --json Rome");
    expect(seen[0]).toMatchObject({ args: ["lamp", "Rome"], options: { level: "high", limit: 7, header: ["a", "b"], json: true } });
  });

  it("takes what stands behind -- as it is, and a single - as a word", async () => {
    expect((await line("ship -- --key -")).seen[0]?.args).toEqual(["--key", "-"]);
    expect((await line("ship lamp -")).seen[0]?.args).toEqual(["lamp", "-"]);
    expect((await line("ship lamp --key=--odd")).seen[0]?.options).toMatchObject({ key: "--odd" });
  });

  it.each([
    ["shp lamp", 'there is no command "shp" (did you mean "ship"?)', "millrace --help"],
    ["bxo list", 'there is no command "bxo" (did you mean "box"?)', "millrace --help"],
    ["box lits", 'box wants one of list, pack, not "lits" (did you mean "list"?)', "millrace box --help"],
    ["box", "box wants one of list, pack", "millrace box --help"],
    ["--json ship", "the command comes first, before --json", "millrace --help"],
    ["ship", "ship needs PARCEL: What to ship", "millrace ship --help"],
    ["ship a b c", 'ship does not know what to do with "c"', "millrace ship --help"],
    ["ship a --limt 3", 'ship has no option --limt (did you mean "--limit"?)', "millrace ship --help"],
    ["ship a -x", "ship has no option -x", "millrace ship --help"],
    ["ship a --limit", "--limit needs a value: --limit N", "millrace ship --help"],
    ["ship a --key --json", "--key needs a value: --key KEY", "millrace ship --help"],
    ["ship a --limit 11", '--limit is a whole number from 1 to 10, not "11"', "millrace ship --help"],
    ["ship a --limit 1.5", '--limit is a whole number from 1 to 10, not "1.5"', "millrace ship --help"],
    ["ship a --level hihg", '--level is one of low, high, not "hihg" (did you mean "high"?)', "millrace ship --help"],
    ["ship a --key 1 --key 2", "--key was given twice", "millrace ship --help"],
    ["ship a --json=yes", "--json takes no value", "millrace ship --help"],
    ["ship a --toString x", "ship has no option --toString", "millrace ship --help"],
  ])("that is wrong is refused with 2: %s", async (text, message, where) => {
    const { code, io, seen } = await line(text);
    expect(code).toBe(2);
    expect(io.stderr).toBe(`millrace: ${message}\n  → See \`${where}\`.\n`);
    expect(io.stdout).toBe("");
    expect(seen).toEqual([]);
  });

  it("of a group takes any number of words", async () => {
    expect((await line("box pack 1 2 3")).seen).toEqual([{ args: ["1", "2", "3"], options: {} }]);
  });
});

describe("failures", () => {
  it("say what, what to do and the code, and exit with 1", async () => {
    const { code, io } = await line("ship broken");
    expect(code).toBe(1);
    expect(io.stderr).toBe("millrace: no room\n  → Free disk space; the node goes on by itself when there is room.\n  code: disk_full\n");
  });

  it("show a stack only where it helps", async () => {
    expect((await line("ship broken --debug")).io.stderr).toContain("run.test.ts");
    const { io, code } = await line("ship defect");
    expect(code).toBe(1);
    expect(io.stderr).toContain("code: internal\nTypeError: x is undefined");
  });

  it("of what was asked for are the command's own exit code", async () => {
    expect((await line("ship late")).code).toBe(1);
  });
});

describe("help", () => {
  it("lists the commands", async () => {
    for (const text of ["", "--help", "-h", "help"]) {
      const { code, io } = await line(text);
      expect(code).toBe(0);
      expect(io.stdout).toContain("ship PARCEL [PLACE]  Ship it");
    }
  });

  it("of a command shows arguments, options and examples, and wants no argument", async () => {
    for (const text of ["ship --help", "ship a -h", "help ship"]) {
      const { code, io } = await line(text);
      expect(code).toBe(0);
      expect(io.stdout).toContain("millrace ship PARCEL [PLACE] [options]");
      expect(io.stdout).toContain("-k, --key KEY  A key");
      expect(io.stdout).toContain("--level LEVEL  A level: low, high (default: low)");
      expect(io.stdout).toContain("millrace ship lamp\n      ships a lamp");
    }
    expect((await line("box --help")).io.stdout).toContain("millrace box pack [SEQ…] [options]");
  });

  it("is whole: every command has a summary, an example, and options that fit together", () => {
    for (const { name, summary, examples, options, args } of COMMANDS) {
      expect(summary).toMatch(/^[A-Z].*[^.]$/);
      expect([name, examples.length > 0]).toEqual([name, true]);
      for (const { line } of examples) expect(line).toContain(`millrace ${name}`);
      const shorts = Object.values(options).flatMap(({ short }) => (short === undefined ? [] : [short]));
      expect(shorts).toEqual([...new Set(shorts)].filter((short) => short !== "h"));
      const kinds = args.map(({ kind }) => kind);
      expect(kinds).toEqual([...kinds].sort((a, b) => Number(a !== "required") - Number(b !== "required")));
    }
    expect(COMMANDS.map(({ name }) => name)).toEqual([...new Set(COMMANDS.map(({ name }) => name))]);
  });

  it("tells the version", async () => {
    expect((await line("--version")).io.stdout).toBe("9.9.9\n");
  });
});

describe("colours", () => {
  it("are for a terminal, unless declined", () => {
    expect(wantsColor(true, {})).toBe(true);
    expect(wantsColor(false, {})).toBe(false);
    expect(wantsColor(true, { NO_COLOR: "1" })).toBe(false);
    expect(wantsColor(true, { NO_COLOR: "" })).toBe(true);
    expect(wantsColor(true, { TERM: "dumb" })).toBe(false);
    expect(makeColors(false).red("x")).toBe("x");
    expect(makeColors(true).red("x")).not.toBe("x");
  });
});
