import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** What a runtime was made of, kept beside it: as long as it is the same, the runtime stays. */
interface Recipe {
  readonly inputs: readonly string[];
  readonly digest: string;
}

/**
 * Makes the one file that an instance process starts with. CommonJS, since an ES module as entry starts 3 ms later; one
 * file, since each further one costs a read and a resolution. Works from the sources and from dist, whichever this runs
 * from. Returns whether it had to be built.
 */
export async function bundleRuntime(outFile: string): Promise<"built" | "kept"> {
  if (existsSync(outFile) && (await isFresh(outFile))) return "kept";
  // Loaded here: most starts find the file there and need no bundler.
  const { build } = await import("esbuild");
  const { outputFiles, metafile } = await build({
    entryPoints: [entryFile()],
    bundle: true,
    write: false,
    metafile: true,
    absWorkingDir: dirname(fileURLToPath(import.meta.url)),
    format: "cjs",
    platform: "node",
    target: "node24",
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    logLevel: "silent",
  });
  const inputs = Object.keys(metafile.inputs).map((path) => fileURLToPath(new URL(path, import.meta.url)));
  await mkdir(dirname(outFile), { recursive: true });
  await replaceFile(outFile, outputFiles[0]?.contents ?? new Uint8Array());
  await replaceFile(recipeFile(outFile), JSON.stringify({ inputs, digest: await digestOf(inputs) } satisfies Recipe));
  return "built";
}

function entryFile(): string {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fileURLToPath(new URL(`./main.${extension}`, import.meta.url));
}

async function isFresh(outFile: string): Promise<boolean> {
  try {
    const recipe = JSON.parse(await readFile(recipeFile(outFile), "utf8")) as Recipe;
    return recipe.inputs.includes(entryFile()) && recipe.digest === (await digestOf(recipe.inputs));
  } catch {
    return false;
  }
}

function recipeFile(outFile: string): string {
  return `${outFile}.recipe.json`;
}

async function digestOf(files: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const content of await Promise.all(files.map((file) => readFile(file)))) hash.update(content).update("\0");
  return hash.digest("hex");
}

let drafts = 0;

/** Another node may start at the same moment: a whole file takes the place of a whole file. */
async function replaceFile(path: string, content: Uint8Array | string): Promise<void> {
  const draft = `${path}.${process.pid}.${++drafts}.tmp`;
  await writeFile(draft, content);
  await rename(draft, path);
}
