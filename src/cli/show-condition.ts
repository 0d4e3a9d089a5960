import { cut } from "./table.ts";

/** So wide a cell may be: beyond it a value tells nothing that its beginning does not. */
const MOST_PLACES = 48;

/** What a condition wants, in few words: `"lamp" or prefix "chair"`, `>= 10 and < 20`. */
export function wantedWords(condition: unknown): string {
  const alternatives: readonly unknown[] = Array.isArray(condition) ? condition : [condition];
  return cell(alternatives.map(alternativeWords).join(" or "));
}

/** What an event has there. */
export function foundWords(found: unknown, isValue: boolean): string {
  if (found === undefined) return "nothing";
  return cell(isValue && Array.isArray(found) ? found.map(json).join(", ") : json(found));
}

/** Names come from events and patterns: whatever they hold, they stay on their line. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, "�");
}

/** A cell of a table: on its line, and no wider than tells something. */
export function cell(text: string): string {
  return cut(printable(text), MOST_PLACES);
}

function alternativeWords(alternative: unknown): string {
  if (typeof alternative !== "object" || alternative === null) return json(alternative);
  const [[name, argument] = ["", undefined]] = Object.entries(alternative) as [string, unknown][];
  switch (name) {
    case "prefix":
    case "suffix":
    case "wildcard":
      return `${name} ${ofText(argument)}`;
    case "equals-ignore-case":
      return `${listWords(argument)} in any case`;
    case "numeric":
      return numericWords(argument);
    case "cidr":
      return `an address in ${String(argument)}`;
    case "exists":
      return argument === true ? "any value" : "nothing";
    case "anything-but":
      return `anything but ${typeof argument === "object" && !Array.isArray(argument) ? alternativeWords(argument) : listWords(argument)}`;
    default:
      return json(alternative);
  }
}

/** A string, several of them, or one in any case. */
function ofText(argument: unknown): string {
  return typeof argument === "object" && !Array.isArray(argument) ? alternativeWords(argument) : listWords(argument);
}

function listWords(argument: unknown): string {
  return Array.isArray(argument) ? argument.map(json).join(", ") : json(argument);
}

function numericWords(argument: unknown): string {
  if (!Array.isArray(argument)) return json(argument);
  const terms = argument.map(String);
  const comparisons: string[] = [];
  for (let i = 0; i < terms.length; i += 2) comparisons.push(terms.slice(i, i + 2).join(" "));
  return comparisons.join(" and ");
}

function json(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
