/** The reference says exactly what the code's own tables say: commands, settings, errors, options. */
import { mkdtempSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/commands/all.ts";
import { newApp } from "../../src/cli/new-app.ts";
import { run } from "../../src/cli/run.ts";
import { ScriptedIo } from "../../src/cli/testing-support/scripted-io.ts";
import { parseDurationMs, parseSizeBytes } from "../../src/core/index.ts";
import { ERROR_KINDS } from "../../src/core/errors.ts";
import { event, flow, fn } from "../../src/sdk/index.ts";
import { factsOf } from "../../src/sdk/definition.ts";
import { readFlow } from "../../src/sdk/read-flow.ts";
import { readFunction } from "../../src/sdk/read-function.ts";
import { SETTINGS, type Setting } from "../../src/server/settings.ts";
import { VERSION } from "../../src/server/version.ts";
import { fileOf } from "./blocks.ts";
import { shapeFaults } from "./expectation.ts";
import { codeOf, type Table } from "./markdown.ts";
import { CHECKOUT, readPage } from "./pages.ts";
import { commandPart, madeParts, tableOf, WRITES, writeMadeParts } from "./reference.ts";

const CLI = "docs/reference/cli.md";
const CONFIGURATION = "docs/reference/configuration.md";
const ERRORS = "docs/reference/errors.md";
const OPTIONS = "docs/reference/options.md";

const folder = mkdtempSync(join(tmpdir(), "millrace-reference-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the page has of these parts, brought up to them first where that was asked for. */
function partsOf(path: string, parts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (WRITES) writeMadeParts(path, parts);
  return madeParts(path);
}

describe("commands", () => {
  it("each is on the page, as its own data says", () => {
    const settings = new Set(Object.values<Setting>(SETTINGS).map(({ flag }) => flag));
    // Whoever talks to a node names its directory; that option says something else there.
    settings.delete("data");
    const parts = Object.fromEntries(COMMANDS.map((command) => [command.name, commandPart(command, settings)]));
    expect(partsOf(CLI, parts)).toEqual(parts);
  });

  it("each that prints JSON has the shape of it on the page", () => {
    const text = readFileSync(join(CHECKOUT, CLI), "utf8");
    const without = COMMANDS.filter(({ options }) => "json" in options).filter(({ name }) => {
      const section = text.split(/^## /m).find((part) => part.startsWith(`${name}\n`));
      return section === undefined || !section.includes("```json shape");
    });
    expect(without.map(({ name }) => name)).toEqual([]);
  });

  it("init makes the app of the first page", async () => {
    const files = newApp("my-app", VERSION);
    for (const block of readPage("docs/getting-started.md").blocks) {
      const path = fileOf(block);
      if (path !== undefined && path in files) expect(`${block.text}\n`).toBe(files[path]);
    }
    const io = new ScriptedIo(folder);
    expect(await run(["init", "my-app", "--json"], COMMANDS, VERSION, io)).toBe(0);
    expect(shapeFaults(io.stdout, shapeIn("init"))).toEqual([]);
  });

  it("start --json prints what the page shows", async () => {
    const io = new ScriptedIo(folder);
    const app = join(folder, "served");
    expect(await run(["init", app], COMMANDS, VERSION, io)).toBe(0);
    io.stdout = "";
    const ended = run(["start", app, "--port", "0", "--data", join(folder, "data"), "--json"], COMMANDS, VERSION, io);
    await Promise.race([io.printed("\n"), ended]);
    io.interrupt();
    expect(await ended).toBe(0);
    expect(shapeFaults(io.stdout, shapeIn("start"))).toEqual([]);
  });
});

function shapeIn(command: string): ReturnType<typeof readPage>["blocks"][number] {
  const lines = readFileSync(join(CHECKOUT, CLI), "utf8").split("\n");
  const start = lines.indexOf(`## ${command}`);
  const found = readPage(CLI).blocks.find((block) => block.line > start && block.marks["shape"] !== undefined);
  if (found === undefined) throw new Error(`${CLI} shows no JSON of ${command}`);
  return found;
}

it("settings: every flag, variable and default is on the page", () => {
  const rows = Object.values<Setting>(SETTINGS).map(({ flag, variable, kind, standard, summary }) => [
    `\`--${flag}\``,
    `\`${variable}\``,
    kind,
    standard === null ? "" : `\`${standard}\``,
    summary,
  ]);
  const parts = { settings: tableOf(["flag", "variable", "kind", "default", "what it sets"], rows) };
  expect(partsOf(CONFIGURATION, parts)).toEqual(parts);
});

describe("errors", () => {
  const rows = tablesWith(ERRORS, "code").flatMap(({ rows }) => rows);

  it("the page has exactly the codes that there are", () => {
    const codes = rows.map(([code = ""]) => codeOf(code)[0] ?? "");
    expect(codes.toSorted()).toEqual(Object.keys(ERROR_KINDS).toSorted());
  });

  it.each(Object.entries(ERROR_KINDS))("%s has its status and cure", (code, { status, cure }) => {
    const [, shownStatus, meaning, shownCure] = rows.find(([cell]) => cell === `\`${code}\``) ?? [];
    expect({ status: shownStatus, cure: shownCure }).toEqual({ status: String(status), cure });
    expect(meaning?.length).toBeGreaterThan(10);
  });

  it("stand under whose fault they are", () => {
    const text = readFileSync(join(CHECKOUT, ERRORS), "utf8");
    const headings = { caller: "## The caller", app: "## The app", operator: "## The operator", platform: "## Millrace" };
    const misplaced = Object.entries(ERROR_KINDS).filter(([code, { fault }]) => {
      const before = text.slice(0, text.indexOf(`| \`${code}\` |`));
      return !before.slice(before.lastIndexOf("\n## ") + 1).startsWith(headings[fault]);
    });
    expect(misplaced).toEqual([]);
  });
});

describe("options", () => {
  const documented = tablesWith(OPTIONS, "option").flatMap(({ rows }) => rows);
  const names = documented.map(([name = ""]) => codeOf(name)[0] ?? "");

  it("of a function are those that it accepts, by its own word", () => {
    const groups = names.filter((name) => name.includes(".")).map((name) => name.split(".") as [string, string]);
    expect(names.filter((name) => !name.includes("."))).toEqual(acceptedNames(manifestOf, {}));
    for (const group of new Set(groups.map(([group]) => group))) {
      const inGroup = groups.filter(([each]) => each === group).map(([, name]) => name);
      expect(inGroup).toEqual(acceptedNames(manifestOf, { [group]: { surely: "not" } }));
    }
  });

  it("of a flow are those of a function but onDead, and its own", () => {
    const own = tablesWith(OPTIONS, "option of a flow").flatMap(({ rows }) => rows.map(([name = ""]) => codeOf(name)[0] ?? ""));
    const all = new Set([...names.filter((name) => name !== "onDead"), ...own]);
    const inGroup = (group: string): string[] =>
      [...all].flatMap((name) => (name.startsWith(`${group}.`) ? [name.slice(group.length + 1)] : []));
    expect([...all].filter((name) => !name.includes(".")).toSorted()).toEqual(acceptedNames(flowManifestOf, {}).toSorted());
    for (const group of ["concurrency", "retry", "instances", "cancelOn"]) {
      expect(inGroup(group)).toEqual(acceptedNames(flowManifestOf, { [group]: { surely: "not" } }));
    }
  });

  it("of a flow have the defaults that are shown", () => {
    const rows = tablesWith(OPTIONS, "option of a flow").flatMap(({ rows }) => rows);
    const shown = (name: string): unknown => JSON.parse(codeOf(rows.find(([cell]) => cell === `\`${name}\``)?.[1] ?? "")[0] ?? "null");
    const { timeoutMs, flow: facts } = flowManifestOf({});
    expect(parseDurationMs(shown("timeout") as string)).toBe(timeoutMs);
    expect([shown("retry.onExhausted"), shown("cancelOn"), shown("deadline")]).toEqual([
      facts?.onExhausted,
      facts?.cancelOn,
      facts?.deadlineMs,
    ]);
    expect(shown("concurrency.key")).toBe(flowManifestOf({ key: "data.a" }).flow?.runsPerKey);
    const [rule] = flowManifestOf({ cancelOn: { event: "a" } }).flow?.cancelOn ?? [];
    expect([shown("cancelOn.match"), shown("cancelOn.rollback")]).toEqual([Object.fromEntries(rule?.match ?? []), rule?.rollback]);
  });

  it("have the defaults that are shown", () => {
    const facts = manifestOf({});
    const shown = Object.fromEntries(documented.map(([name = "", value = ""]) => [codeOf(name)[0], codeOf(value)[0]]));
    const duration = (name: string): number => parseDurationMs(JSON.parse(shown[name] ?? "null") as string);
    expect({
      timeoutMs: duration("timeout"),
      memoryBytes: parseSizeBytes(JSON.parse(shown["memory"] ?? "null") as string),
      network: JSON.parse(shown["network"] ?? "null") as unknown,
      onDead: JSON.parse(shown["onDead"] ?? "null") as unknown,
      allow: JSON.parse(shown["allow"] ?? "null") as unknown,
      retry: {
        attempts: Number(shown["retry.attempts"]),
        backoff: JSON.parse(shown["retry.backoff"] ?? "null") as unknown,
        baseMs: duration("retry.base"),
        factor: Number(shown["retry.factor"]),
        maxMs: duration("retry.max"),
        jitter: JSON.parse(shown["retry.jitter"] ?? "null") as unknown,
      },
      concurrency: { instance: Number(shown["concurrency.instance"]), function: null, key: Number(shown["concurrency.key"]) },
      instances: { min: Number(shown["instances.min"]), max: null, idleMs: duration("instances.idle") },
    }).toEqual({
      timeoutMs: facts.timeoutMs,
      memoryBytes: facts.memoryBytes,
      network: facts.network,
      onDead: facts.onDead,
      allow: facts.allow,
      retry: facts.retry,
      concurrency: facts.concurrency,
      instances: facts.instances,
    });
  });
});

function manifestOf(options: object): ReturnType<typeof readFunction> {
  const facts = factsOf(fn({ on: event("x"), ...options }, () => {}));
  if (facts?.kind !== "fn") throw new Error("fn made no function");
  return readFunction(facts, { entry: "functions/x.mjs", file: "functions/x.ts", exportName: "x" });
}

function flowManifestOf(options: object): ReturnType<typeof readFlow> {
  const facts = factsOf(flow({ on: event("x"), ...options }, () => {}));
  if (facts?.kind !== "flow") throw new Error("flow made no flow");
  return readFlow(facts, { entry: "functions/x.mjs", file: "functions/x.ts", exportName: "x" });
}

/** An option that does not exist is answered with the names of those that do. */
function acceptedNames(manifestOf: (options: object) => unknown, options: object): string[] {
  const wrong = Object.keys(options).length === 0 ? { surely: "not" } : options;
  try {
    manifestOf(wrong);
  } catch (error) {
    const cure = error instanceof Error && "cure" in error ? String(error.cure) : "";
    return /the options here are (.*)\.$/.exec(cure)?.[1]?.split(", ") ?? [];
  }
  return [];
}

function tablesWith(path: string, firstHead: string): readonly Table[] {
  return readPage(path).tables.filter(({ head }) => head[0] === firstHead);
}
