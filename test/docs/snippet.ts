/** The names of the SDK that a bare fragment may use. */
const FRAGMENT_HEAD = `import { cron, event, every, Fatal, fn, http, RetryAfter, type CloudEvent, type Context } from "millrace";
declare const ctx: Context;
declare const e: CloudEvent<any>;
`;

/** A `ts test` block as a module that exports its body. */
export function bodyModule(text: string): string {
  const lines = text.split("\n");
  const imports = lines.filter((line) => line.startsWith("import "));
  const body = lines.filter((line) => !line.startsWith("import "));
  const head = ['import type assertion from "node:assert/strict";', 'import type { TestApp } from "millrace/testing";', ...imports];
  return `${head.join("\n")}\nexport async function body(app: TestApp, assert: typeof assertion): Promise<void> {\n${body.join("\n")}\n}\n`;
}

/** A `ts types` block as a module. */
export function fragmentModule(text: string): string {
  return text.includes('from "millrace') ? `${text}\nexport {};\n` : `${FRAGMENT_HEAD}${text}\nexport {};\n`;
}
