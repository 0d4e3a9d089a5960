import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command, OptionSpec } from "../../src/cli/command.ts";
import { showArguments } from "../../src/cli/parse-arguments.ts";
import { CHECKOUT } from "./pages.ts";

/** The parts of the reference that are made from data stand between `<!-- made: NAME -->` and `<!-- /made -->`. */
export function madeParts(path: string): Readonly<Record<string, string>> {
  const text = readFileSync(join(CHECKOUT, path), "utf8");
  return Object.fromEntries([...text.matchAll(MADE)].map(([, name = "", inside = ""]) => [name, inside.trim()]));
}

const MADE = /<!-- made: (.+?) -->\n([^]*?)<!-- \/made -->/g;

/** `MILLRACE_WRITE_DOCS=1 npx vitest run test/docs/reference.test.ts` brings the pages up to the data. */
export const WRITES = process.env["MILLRACE_WRITE_DOCS"] === "1";

export function writeMadeParts(path: string, parts: Readonly<Record<string, string>>): void {
  const file = join(CHECKOUT, path);
  const text = readFileSync(file, "utf8").replaceAll(
    MADE,
    (_, name: string) => `<!-- made: ${name} -->\n\n${parts[name] ?? ""}\n\n<!-- /made -->`,
  );
  writeFileSync(file, text);
}

export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", String.raw`\|`)).join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

/** Usage, arguments, options and examples of a command. Settings of the node are told once, on their own page. */
export function commandPart({ name, summary, details, args, options, examples }: Command, settings: ReadonlySet<string>): string {
  const usage = ["millrace", name, showArguments(args), "[options]"].filter((word) => word !== "").join(" ");
  const own = Object.entries(options).filter(([option]) => !settings.has(option));
  const rows = [...args.map((arg) => [`\`${arg.name}\``, arg.summary]), ...own.map(optionRow)];
  const taken = Object.keys(options).filter((option) => settings.has(option));
  const parts = [`\`${usage}\``, [`${summary}.`, details?.replaceAll("\n", " ")].filter(Boolean).join(" ")];
  if (rows.length > 0) parts.push(tableOf(["argument or option", ""], rows));
  if (taken.length > 0)
    parts.push(`It takes these [settings of the node](configuration.md): ${taken.map((flag) => `\`--${flag}\``).join(", ")}.`);
  parts.push(`\`\`\`sh\n${examples.map(({ line, says }) => `${line}   # ${says}`).join("\n")}\n\`\`\``);
  return parts.join("\n\n");
}

function optionRow([name, spec]: readonly [string, OptionSpec]): readonly [string, string] {
  const short = spec.short === undefined ? "" : `\`-${spec.short}\`, `;
  const value = spec.type === "boolean" ? "" : ` ${spec.value}`;
  const notes = [
    spec.type === "string" && spec.choices !== undefined ? `: ${spec.choices.join(", ")}` : "",
    spec.type === "strings" ? " (may be repeated)" : "",
    "standard" in spec && spec.standard !== undefined ? ` (default: ${spec.standard})` : "",
  ];
  return [`${short}\`--${name}${value}\``, `${spec.summary}${notes.join("")}`];
}
