import type { Command, OptionSpec } from "./command.ts";
import type { Colors } from "./io.ts";
import { COMMON_OPTIONS, showArguments } from "./parse-arguments.ts";
import { table } from "./table.ts";

export function commandHelp(command: Command, colors: Colors): string {
  const { name, summary, details, args, options, examples } = command;
  const usage = ["millrace", name, showArguments(args), "[options]"].filter((word) => word !== "").join(" ");
  const parts = [`${colors.bold(usage)}\n\n${summary}.`];
  if (details !== undefined) parts.push(details);
  if (args.length > 0)
    parts.push(
      section(
        "Arguments",
        args.map((arg) => [arg.name, arg.summary]),
        colors,
      ),
    );
  parts.push(section("Options", Object.entries({ ...options, ...COMMON_OPTIONS }).map(optionRow), colors));
  const lines = examples.map(({ line, says }) => `  ${line}\n      ${colors.dim(says)}`);
  parts.push(`${colors.bold("Examples")}\n${lines.join("\n")}`);
  return `${parts.join("\n\n")}\n`;
}

export function generalHelp(commands: readonly Command[], version: string, colors: Colors): string {
  const rows = commands.map(({ name, args, summary }) => [`${name} ${showArguments(args)}`.trim(), summary] as const);
  return [
    `${colors.bold("millrace")} ${version}: events wake functions, each one transaction.`,
    section("Commands", rows, colors),
    `${colors.bold("First steps")}\n  millrace init shop && cd shop && millrace dev`,
    `"millrace COMMAND --help" shows options and examples. Results go to stdout, everything else to stderr;\nexit codes: 0 done, 1 failed, 2 the command line is wrong.\n`,
  ].join("\n\n");
}

function section(title: string, rows: readonly (readonly [string, string])[], colors: Colors): string {
  const lines = table({ rows: rows.map(([left, right]) => [`  ${left}`, right]), columns: null });
  return `${colors.bold(title)}\n${lines}`;
}

function optionRow([name, spec]: readonly [string, OptionSpec]): readonly [string, string] {
  const short = spec.short === undefined ? "" : `-${spec.short}, `;
  const value = spec.type === "boolean" ? "" : ` ${spec.value}`;
  const many = spec.type === "strings" ? " (may be repeated)" : "";
  const choices = spec.type === "string" && spec.choices !== undefined ? `: ${spec.choices.join(", ")}` : "";
  const standard = "standard" in spec && spec.standard !== undefined ? ` (default: ${spec.standard})` : "";
  return [`${short}--${name}${value}`, `${spec.summary}${choices}${many}${standard}`];
}
