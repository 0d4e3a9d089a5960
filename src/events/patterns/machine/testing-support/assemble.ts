import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import wabt from "wabt";

const FOLDER = join(import.meta.dirname, "..");

/** The text of skip-module.ts, made from skip.wat. */
export async function assembleSkip(): Promise<string> {
  const assembler = await wabt();
  const module = assembler.parseWat("skip.wat", await readFile(join(FOLDER, "skip.wat"), "utf8"), { simd: true });
  const code = Buffer.from(module.toBinary({}).buffer).toString("base64");
  return `/** Made from skip.wat by \`npm run assemble\`. */\nexport const SKIP_MODULE =\n  "${code}";\n`;
}

if (import.meta.main) await writeFile(join(FOLDER, "skip-module.ts"), await assembleSkip());
