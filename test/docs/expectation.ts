import type { Block } from "./markdown.ts";
import { placeOf } from "./blocks.ts";

/** The text is what the page shows, where `…` stands for anything and spaces for any amount of space; else the text. */
export function outputFaults(actual: string, shown: Block): string[] {
  const parts = shown.text.trim().split("…").map(escaped);
  const pattern = new RegExp(`^\\s*${parts.join("[\\s\\S]*?")}\\s*$`);
  return pattern.test(actual) ? [] : [`${placeOf(shown)} shows\n${shown.text}\nbut it gives\n${actual}`];
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll(/\s+/g, String.raw`\s+`);
}

/** Where the JSON does not have the members that the page shows, of the same types, and no others. */
export function shapeFaults(actual: string, shown: Block): string[] {
  const line = actual.split("\n").find((text) => text !== "") ?? "";
  return [...differencesOf(JSON.parse(line), JSON.parse(shown.text), placeOf(shown))];
}

/** null stands for "may be absent", so it fits anything; an empty array says nothing of its elements. */
function* differencesOf(actual: unknown, shown: unknown, path: string): Generator<string> {
  if (actual === null || shown === null) return;
  const kinds = [kindOf(actual), kindOf(shown)];
  if (kinds[0] !== kinds[1]) {
    yield `${path}: is ${kinds[0]}, shown as ${kinds[1]}`;
  } else if (Array.isArray(actual) && Array.isArray(shown)) {
    if (actual.length > 0 && shown.length > 0) yield* differencesOf(actual[0], shown[0], `${path}[0]`);
  } else if (isRecord(actual) && isRecord(shown)) {
    for (const name of new Set([...Object.keys(actual), ...Object.keys(shown)])) {
      if (!Object.hasOwn(actual, name)) yield `${path}.${name}: is shown, but not there`;
      else if (!Object.hasOwn(shown, name)) yield `${path}.${name}: is there, but not shown`;
      else yield* differencesOf(actual[name], shown[name], `${path}.${name}`);
    }
  }
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? "array" : typeof value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
