import { describe, expect, it } from "vitest";
import type { JournalEntry, Run } from "../../control/client/index.ts";
import { entry } from "../testing-support/journal.ts";
import { type Diagram, diagramOf } from "./diagram.ts";
import { toMermaid } from "./mermaid.ts";
import { toSvg } from "./svg.ts";

const declined = { name: "Error", message: "card declined", stack: null };

function run(given: Partial<Run> = {}): Run {
  return {
    id: "r1",
    seq: 12,
    fn: "fulfil",
    kind: "flow",
    release: "abc123",
    state: "done",
    startedMs: 5000,
    endedMs: 20_000,
    dueMs: null,
    deadlineMs: null,
    parent: null,
    event: 3,
    entries: 0,
    attempt: 0,
    errors: [],
    note: null,
    result: null,
    error: null,
    ...given,
  };
}

function drawn(journal: readonly JournalEntry[], given: Partial<Run> = {}): Diagram {
  const input = { seq: 3, id: "e3", type: "order.paid", source: "/s", data: null };
  return diagramOf({ run: run(given), journal, input }, 10_000);
}

/** Kind and title of each node, lane by lane; a stage that leads back begins with ~. */
function outline({ stages }: Diagram): string[] {
  return stages.map(
    ({ lanes, isUndo }) =>
      (isUndo ? "~" : "") + lanes.map((lane) => lane.map(({ kind, title }) => `${kind} ${title}`).join(", ")).join(" | "),
  );
}

/** A run with everything in it. */
const EVERYTHING = [
  entry(1, "step/pack", { atMs: 5012, ranMs: 12 }),
  entry(2, "sleep/cool down/1/opened", { atMs: 5013, value: { dueMs: 6013 } }),
  entry(3, "sleep/cool down", { atMs: 6013 }),
  entry(4, "step/mail", { atMs: 6120, ranMs: 90 }),
  entry(5, "step/mail/2", { atMs: 6160, ranMs: 120 }),
  entry(6, "wait/paid/1/opened", { atMs: 6161, value: { type: "order.paid", dueMs: 9000 } }),
  entry(7, "callback/approve", { atMs: 6161, value: { dueMs: null } }),
  entry(8, "answer/approve", { atMs: 7000, value: true }),
  entry(9, "wait/paid", { atMs: 9000 }),
  entry(10, "map/tell/1/opened", { atMs: 9001, value: { total: 2 } }),
  entry(11, "step/tell", { atMs: 9020, ranMs: 10 }),
  entry(12, "step/tell/2/failed", { atMs: 9020, ranMs: 10, value: declined }),
  entry(13, "start/audit", { atMs: 9021, value: { id: "r9" } }),
  entry(14, "call/ship/1/opened", { atMs: 9022, value: { target: "shipping", id: "r7" } }),
  entry(15, "call/ship", { atMs: 9500, value: 1 }),
  entry(16, "step/charge/1/attempt", { atMs: 9600, ranMs: 50, value: { error: declined, dueMs: 9700 } }),
  entry(17, "step/charge/1/failed", { atMs: 9760, ranMs: 50, attempt: 2, value: declined }),
  entry(18, "rollback/mail", { atMs: 9800, ranMs: 20 }),
  entry(19, "rollback/pack", { atMs: 9900, ranMs: 20 }),
];

describe("a diagram of a run", () => {
  it("has all that it did, in its order; what overlapped side by side", () => {
    const diagram = drawn(EVERYTHING, { state: "failed", error: declined });
    expect(outline(diagram)).toEqual([
      "begin fulfil",
      "step pack",
      "sleep cool down",
      "step mail | step mail #2",
      "wait paid | callback approve",
      "map tell",
      "start audit",
      "call ship",
      "step charge",
      "~rollback mail",
      "~rollback pack",
      "end failed",
    ]);
    expect(diagram.title).toBe("fulfil r1");
    expect(diagram.stages.flatMap(({ lanes }) => lanes.flat()).map(({ tone, lines }) => [tone, ...lines])).toEqual([
      ["plain", "order.paid", "1970-01-01T00:00:05.000Z"],
      ["good", "12ms"],
      ["good", "1s"],
      ["good", "90ms"],
      ["good", "120ms"],
      ["good", "2.84s, order.paid, timed out"],
      ["good", "839ms, answered"],
      ["bad", "19ms, 1 of 2 done, 1 failed"],
      ["good", "audit r9"],
      ["good", "478ms, shipping r7"],
      ["bad", "210ms, 2 attempts", "card declined"],
      ["undo", "20ms"],
      ["undo", "20ms"],
      ["bad", "after 15s", "card declined"],
    ]);
  });

  it("of a cancelled run what was waited for ended with the cancellation", () => {
    const journal = [
      entry(1, "wait/paid/1/opened", { atMs: 5000, value: { type: "order.paid" } }),
      entry(2, "run/signal/1/opened", { atMs: 5500, value: { wait: "other", data: "1" } }),
      entry(3, "run/cancel/1/failed", { atMs: 6000, value: { reason: "by hand", rollback: true } }),
      entry(4, "rollback/pack", { atMs: 6100, ranMs: 10 }),
    ];
    const diagram = drawn(journal, { state: "cancelled", error: { name: "RunCancelled", message: "by hand", stack: null } });
    expect(outline(diagram)).toEqual(["begin fulfil", "wait paid", "run cancelled", "~rollback pack", "end cancelled"]);
    expect(diagram.stages[1]?.lanes[0]?.[0]).toMatchObject({ tone: "plain", lines: ["order.paid, given up"] });
  });

  it("a run that is under way ends in its state", () => {
    const journal = [
      entry(1, "sleep/rest/1/opened", { atMs: 5000, value: { dueMs: 70_000 } }),
      entry(2, "step/work", { atMs: 5100, ranMs: 10 }),
    ];
    const diagram = drawn(journal, { state: "sleeping", endedMs: null, dueMs: 70_000 });
    expect(outline(diagram)).toEqual(["begin fulfil", "sleep rest | step work", "end sleeping"]);
    expect(diagram.stages.at(-1)?.lanes).toMatchObject([[{ tone: "waiting", lines: ["goes on in 1m"] }]]);
  });

  it("of a run that did nothing there are its beginning and its end", () => {
    expect(outline(drawn([]))).toEqual(["begin fulfil", "end done"]);
  });
});

describe("Mermaid", () => {
  it("is a flowchart: shapes by verb, colours by outcome, rollbacks dashed", () => {
    const text = toMermaid(drawn(EVERYTHING, { state: "failed", error: declined }));
    const lines = text.split("\n").map((line) => line.trim());
    expect(lines.slice(0, 4)).toEqual(["---", 'title: "fulfil r1"', "---", "flowchart TD"]);
    for (const line of [
      'n2["step: pack<br/>12ms"]:::good',
      'n3("sleep: cool down<br/>1s"):::good',
      'n6{{"wait: paid<br/>2.84s, order.paid, timed out"}}:::good',
      "n3 --> n4",
      "n3 --> n5",
      "n12 -.-> n13",
      "n14 --> n15",
    ])
      expect(lines).toContain(line);
    expect(lines.filter((line) => line.includes("-.->"))).toHaveLength(2);
  });

  it("joins many with many in one point", () => {
    const text = toMermaid(drawn(EVERYTHING));
    // mail and mail #2 lead to n8, and n8 leads to the wait and the callback.
    for (const edge of ["n4 --> n8", "n5 --> n8", "n8 --> n6", "n8 --> n7"]) expect(text).toContain(`  ${edge}\n`);
    expect(text).not.toContain("n4 --> n6");
  });

  it("escapes what Mermaid, Markdown or HTML would read", () => {
    const text = toMermaid(drawn([entry(1, 'step/"a" <b> #1; `c` **d** & \\n', { ranMs: 1 })]));
    expect(text).toContain('n2["step: #34;a#34; #60;b#62; #35;1; #96;c#96; #42;#42;d#42;#42; #38; #92;n<br/>');
  });
});

describe("SVG", () => {
  const svg = toSvg(drawn(EVERYTHING, { state: "failed", error: declined }));
  const boxes = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="(\d+)" height="([\d.]+)"/g)].map(([, ...numbers]) => {
    const [x = 0, y = 0, wide = 0, high = 0] = numbers.map(Number);
    return { x, y, wide, high };
  });

  it("has a box each, none over another, all inside", () => {
    expect(boxes).toHaveLength(14);
    const [, across = "", down = ""] = /width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
    for (const [i, a] of boxes.entries()) {
      expect(a.x >= 0 && a.y >= 0 && a.x + a.wide <= Number(across) && a.y + a.high <= Number(down)).toBe(true);
      for (const b of boxes.slice(i + 1))
        expect(a.x + a.wide <= b.x || b.x + b.wide <= a.x || a.y + a.high <= b.y || b.y + b.high <= a.y).toBe(true);
    }
  });

  it("has parallel branches side by side, and the rest in the middle", () => {
    const middles = boxes.map(({ x, wide }) => x + wide / 2);
    const ys = boxes.map(({ y }) => y);
    expect(ys[3]).toBe(ys[4]);
    expect((middles[3] ?? 0) + (middles[4] ?? 0)).toBeCloseTo(2 * (middles[0] ?? 0));
    expect(new Set([0, 1, 2, 7, 8, 9, 10, 11, 12, 13].map((i) => middles[i])).size).toBe(1);
  });

  it("draws rollbacks and what leads to them dashed", () => {
    expect(svg.match(/<path [^>]*stroke-dasharray/g)).toHaveLength(2);
    expect(svg.match(/<rect [^>]*stroke-dasharray/g)).toHaveLength(2);
  });

  it("is well-formed whatever names hold", () => {
    const text = toSvg(drawn([entry(1, `step/<script>alert("1")</script> & ' \u{1F69A}`, { ranMs: 1, value: 1 })], { fn: "a<b>&\"'" }));
    expect(text).toContain("&lt;script&gt;alert(&quot;1&quot;)&lt;");
    expect(text).not.toContain("<script");
    expect(isWellFormed(text)).toBe(true);
    expect(isWellFormed(svg)).toBe(true);
  });

  it("replaces what XML cannot hold", () => {
    const text = toSvg(drawn([], { state: "failed", error: { name: "Error", message: "a\u0000b\uFFFEc\uD800d", stack: null } }));
    expect(text).toContain("a\uFFFDb\uFFFDc\uFFFDd");
  });

  it("breaks long lines between words, and cuts words that are longer", () => {
    const text = toSvg(
      drawn([], { state: "failed", error: { name: "Error", message: `the card was declined by ${"x".repeat(40)}`, stack: null } }),
    );
    const lines = [...text.matchAll(/font-size="11"[^>]*>([^<]*)</g)].map(([, line]) => line);
    expect(lines.slice(-3)).toEqual(["after 15s", "the card was declined by", `${"x".repeat(29)}…`]);
  });
});

/** Every tag is closed in its turn, every attribute quoted, every & begins an entity. */
function isWellFormed(xml: string): boolean {
  const open: string[] = [];
  let rest = xml.trim();
  while (rest !== "") {
    const tag = /^<(\/?)(\w+)((?: [\w:-]+="[^"<]*")*)(\/?)>/.exec(rest);
    const found = tag ?? /^[^<&]+|^&(?:amp|lt|gt|quot|apos);/.exec(rest);
    if (found === null) return false;
    rest = rest.slice(found[0].length);
    if (tag === null) continue;
    const [, closing, name = "", , empty] = tag;
    if (closing === "/") {
      if (open.pop() !== name) return false;
    } else if (empty !== "/") open.push(name);
  }
  return open.length === 0;
}
