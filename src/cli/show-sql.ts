import type { SqlTest } from "../control/client/index.ts";
import type { Colors, Io } from "./io.ts";
import { mark } from "./mark.ts";
import { cell, foundWords, printable } from "./show-condition.ts";
import { table } from "./table.ts";

type Operand = SqlTest["operands"][number];

/** What is shown of the explanation of an expression, alone or of a trigger. */
type Explained = Pick<SqlTest, "operands" | "attributes">;

/** A line an operand, and more for its error and for what most likely was meant. */
export function showOperands({ operands, attributes }: Explained, io: Io): readonly string[] {
  const colors = io.outColors;
  const found = new Map(attributes.map((each) => [each.name, each.found]));
  const head = ["   ", "EXPRESSION", "VALUE", "FOUND"].map(colors.dim);
  const rows = operands.map((operand) => cells(operand, found, colors));
  const [title = "", ...lines] = table({ head, rows, columns: io.columns }).split("\n");
  return [title, ...lines.flatMap((text, i) => [text, ...notes(operands[i], colors)])];
}

function cells(operand: Operand, found: ReadonlyMap<string, unknown>, colors: Colors): readonly string[] {
  const { operator, source, holds, skipped, attributes } = operand;
  const name = cell(`${operator === null ? "" : `${operator} `}${source.replaceAll(/\s+/g, " ")}`);
  return [
    `  ${skipped ? colors.dim("–") : mark(holds, colors)}`,
    holds || skipped ? name : colors.bold(name),
    valueWords(operand, colors),
    cell(attributes.map((each) => `${each} ${foundWords(found.get(each), true)}`).join(", ")),
  ];
}

function valueWords({ value, error, holds, skipped }: Operand, colors: Colors): string {
  const words = error === null ? foundWords(value, true) : "error";
  if (skipped) return colors.dim(`${words}, skipped`);
  return holds ? words : colors.red(words);
}

function notes(operand: Operand | undefined, colors: Colors): readonly string[] {
  const error = operand?.error?.message;
  const hint = operand?.hint;
  return [
    ...(error === undefined ? [] : [`     ${printable(error)}`]),
    ...(hint === undefined ? [] : [`     ${colors.yellow(`→ ${printable(hint)}`)}`]),
  ];
}
