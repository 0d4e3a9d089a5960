import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { ControlClient, RunDetails } from "../../control/client/index.ts";
import { MillraceError, toError } from "../../core/errors.ts";
import { defineCommand, UsageError } from "../command.ts";
import { connect, NODE_OPTIONS } from "../connect.ts";
import { diagramOf } from "../diagram/diagram.ts";
import { toMermaid } from "../diagram/mermaid.ts";
import { toSvg } from "../diagram/svg.ts";
import { note } from "../io.ts";

export const flow = defineCommand({
  name: "flow",
  summary: "Draw a flow as it ran",
  details: "What overlapped in time stands side by side; a map is one node with its counts; what was rolled back is dashed.",
  args: [{ name: "NAME", summary: "The flow", kind: "required" }],
  options: {
    diagram: { type: "boolean", summary: "What to make of it: a diagram" },
    run: { type: "string", value: "ID", summary: "As this run went (default: the newest one that has ended)" },
    format: { type: "string", value: "FORMAT", choices: ["mermaid", "svg"], summary: "Default: by the name of the file, else mermaid" },
    output: { type: "string", value: "FILE", short: "o", summary: "Into this file" },
    ...NODE_OPTIONS,
  },
  examples: [
    { line: "millrace flow fulfil --diagram", says: "a flowchart for Mermaid, as Markdown pages show it" },
    { line: "millrace flow fulfil --diagram --run o1 -o o1.svg", says: "a picture of one run" },
  ],
  async run({ args: [name = ""], options, io }) {
    const { diagram, run, format, output } = options;
    if (!diagram) throw new UsageError("flow wants --diagram: there is nothing else that it makes", "flow");
    const client = await connect(options, io);
    const drawn = diagramOf(await runToDraw(name, run, client), io.now());
    const asSvg = format === undefined ? output?.toLowerCase().endsWith(".svg") === true : format === "svg";
    const text = asSvg ? toSvg(drawn) : toMermaid(drawn);
    if (output === undefined) return io.out(text);
    await write(resolve(io.cwd, output), text);
    note(io, `${drawn.title} is in ${output}`);
  },
});

async function runToDraw(flow: string, id: string | undefined, client: ControlClient): Promise<RunDetails> {
  if (id !== undefined) {
    const details = await client.run(id);
    if (details.run.fn === flow) return details;
    throw new MillraceError("not_found", `the run ${id} is one of "${details.run.fn}", not of "${flow}"`, {
      cure: `\`millrace runs list --flow ${flow}\` shows the runs there are.`,
    });
  }
  // What a name is that nothing has run under, the node knows best.
  const [newest] = await client.runs({ fn: flow, state: ["done", "failed", "cancelled"], limit: 1 });
  if (newest !== undefined) return await client.run(newest.id);
  await client.fn(flow);
  throw new MillraceError("not_found", `no run of "${flow}" has ended yet`, {
    cure: "Name one that is under way with --run. A function that is no flow has none.",
  });
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    throw new MillraceError("bad_config", `${path} cannot be written: ${toError(error).message}`, {
      cause: error,
      cure: "Name a file that can be written after -o.",
    });
  }
}
