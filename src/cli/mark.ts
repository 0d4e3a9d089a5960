import type { Colors } from "./io.ts";

export function mark(isGood: boolean, colors: Colors): string {
  return isGood ? colors.green("✓") : colors.red("✗");
}
