import type { CloudEvent } from "./cloud-event.ts";

/** Deeper data is refused at the door (E15): whoever walks an event later may recurse without fear for the stack. */
export const MAX_DEPTH = 500;

/**
 * The JSON text under which an event in normal form is stored, or undefined when it is nested too deeply.
 * The order of attributes is that in which `parseCloudEvent` built it.
 */
export function canonicalJson(event: CloudEvent): string | undefined {
  let json: string;
  try {
    json = JSON.stringify(event);
  } catch (error) {
    // JSON.parse builds any depth; JSON.stringify recurses, and says by this error that the stack has an end.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  // Each level costs two characters, so most events are known to be shallow by their length alone.
  return json.length > MAX_DEPTH * 2 && depthOf(json) > MAX_DEPTH ? undefined : json;
}

function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < json.length; i++) {
    const character = json[i];
    if (character === '"') i = endOfString(json, i);
    else if (character === "{" || character === "[") deepest = Math.max(deepest, ++depth);
    else if (character === "}" || character === "]") depth--;
  }
  return deepest;
}

function endOfString(json: string, start: number): number {
  let end = json.indexOf('"', start + 1);
  while (isEscaped(json, end)) end = json.indexOf('"', end + 1);
  return end;
}

function isEscaped(json: string, at: number): boolean {
  let backslashes = 0;
  while (json[at - 1 - backslashes] === "\\") backslashes++;
  return backslashes % 2 === 1;
}
