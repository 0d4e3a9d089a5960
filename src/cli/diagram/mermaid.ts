import type { Diagram, DiagramNode, Stage } from "./diagram.ts";

/** A diagram as a flowchart of Mermaid. */
export function toMermaid({ title, stages }: Diagram): string {
  const chart = new Chart();
  for (const stage of stages) chart.add(stage);
  return ["---", `title: ${JSON.stringify(title)}`, "---", "flowchart TD", ...chart.lines.map((line) => `  ${line}`), ...STYLES, ""].join(
    "\n",
  );
}

const STYLES = [
  "  classDef plain fill:#ffffff,stroke:#6b7280,color:#111827",
  "  classDef good fill:#f0fdf4,stroke:#15803d,color:#111827",
  "  classDef bad fill:#fef2f2,stroke:#b91c1c,color:#111827",
  "  classDef waiting fill:#fffbeb,stroke:#b45309,color:#111827",
  "  classDef undo fill:#f5f3ff,stroke:#6d28d9,color:#111827,stroke-dasharray:4 3",
];

class Chart {
  readonly lines: string[] = [];
  private count = 0;
  private tails: readonly string[] = [];

  add({ lanes, isUndo }: Stage): void {
    const arrow = isUndo ? "-.->" : "-->";
    const drawn = lanes.map((lane) => lane.map((node) => this.node(node)));
    const heads = drawn.flatMap(([head]) => head ?? []);
    // Where many lead to many, each would be joined with each.
    if (this.tails.length > 1 && heads.length > 1) this.join();
    for (const tail of this.tails) for (const head of heads) this.lines.push(`${tail} ${arrow} ${head}`);
    for (const lane of drawn) if (lane.length > 1) this.lines.push(lane.join(` ${arrow} `));
    this.tails = drawn.flatMap((lane) => lane.at(-1) ?? []);
  }

  private node({ kind, tone, title, lines }: DiagramNode): string {
    const id = `n${++this.count}`;
    const [open, close] = SHAPES[kind];
    const head = kind === "begin" || kind === "end" ? title : `${kind === "run" ? "" : `${kind}: `}${title}`;
    this.lines.push(`${id}${open}"${[head, ...lines].map(escaped).join("<br/>")}"${close}:::${tone}`);
    return id;
  }

  private join(): void {
    const id = `n${++this.count}`;
    this.lines.push(`${id}(( )):::plain`);
    for (const tail of this.tails) this.lines.push(`${tail} --> ${id}`);
    this.tails = [id];
  }
}

const SHAPES: Readonly<Record<DiagramNode["kind"], readonly [string, string]>> = {
  begin: ["([", "])"],
  end: ["([", "])"],
  step: ["[", "]"],
  rollback: ["[", "]"],
  map: ["[[", "]]"],
  sleep: ["(", ")"],
  wait: ["{{", "}}"],
  callback: ["{{", "}}"],
  answer: ["{{", "}}"],
  call: ["[/", "/]"],
  start: ["[/", "/]"],
  run: [">", "]"],
};

/** Between quotes Mermaid knows entities, written with `#`; what could be read as Markdown or HTML is written so. */
function escaped(text: string): string {
  return text.replaceAll(/[#"&<>`*_\\]/g, (char) => `#${char.codePointAt(0)};`);
}
