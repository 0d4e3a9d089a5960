import { mkdir, readdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { MillraceError } from "../../core/errors.ts";
import { defineCommand } from "../command.ts";
import { JSON_OPTION } from "../connect.ts";
import { jsonLine, line } from "../io.ts";
import { newApp } from "../new-app.ts";
import { VERSION } from "../../server/version.ts";

export const init = defineCommand({
  name: "init",
  summary: "Make a new app: two functions and a test",
  args: [{ name: "DIR", summary: "The folder, new or empty (default: this one)", kind: "optional" }],
  options: JSON_OPTION,
  examples: [{ line: "millrace init shop && cd shop && millrace dev", says: "an app that serves, in three words" }],
  async run({ args: [given = "."], options, io }) {
    const folder = resolve(io.cwd, given);
    await refuseFull(folder);
    const files = newApp(basename(folder), VERSION);
    for (const [path, text] of Object.entries(files)) {
      const file = join(folder, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text, { flag: "wx" });
    }
    if (options.json) return jsonLine(io, { directory: folder, files: Object.keys(files) });
    const colors = io.outColors;
    const where = relative(io.cwd, folder);
    line(io, `${colors.green("made")} ${folder}`);
    for (const path of Object.keys(files)) line(io, `  ${path}`);
    line(io, "");
    line(io, colors.bold("Next"));
    if (where !== "") line(io, `  cd ${where}`);
    line(io, `  millrace dev                                    ${colors.dim("# serve, and reload what you change")}`);
    line(io, `  curl -d '{"name":"Ada"}' localhost:4800/hello   ${colors.dim("# in another terminal")}`);
    line(io, `  millrace events                                 ${colors.dim("# what happened")}`);
  },
});

/** Nothing of anybody's is written over or mixed with the new app. A repository that is still empty will do. */
async function refuseFull(folder: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
    throw new MillraceError("bad_config", `${folder} cannot be used: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
      cure: "Name a folder that does not exist yet.",
    });
  }
  const found = names.filter((name) => name !== ".git");
  if (found.length > 0) {
    throw new MillraceError(
      "bad_config",
      `${folder} is not empty: it has ${found.slice(0, 3).join(", ")}${found.length > 3 ? ", …" : ""}`,
      {
        cure: "Name a new or an empty folder: `millrace init my-app`.",
      },
    );
  }
}
