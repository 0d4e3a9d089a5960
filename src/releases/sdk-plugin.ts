import { readFile } from "node:fs/promises";
import { posix } from "node:path";
import type { Plugin } from "esbuild";

/**
 * `import … from "millrace"` means the package that is running, whatever lies in the app's node_modules. Its files live
 * in a namespace of their own: an app's bundle must not tell where Millrace is installed, or its id would differ from
 * machine to machine.
 */
const NAMESPACE = "millrace";

/** From source this file is .ts and so are the others; from a build all are .js. */
const EXTENSION = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
const PACKAGE = new URL("../", import.meta.url);

const DOORS: Readonly<Record<string, string>> = {
  millrace: `sdk/index${EXTENSION}`,
  "millrace/patterns": `events/patterns-door${EXTENSION}`,
};

export const sdkPlugin: Plugin = {
  name: "millrace",
  setup(build) {
    build.onResolve({ filter: /^millrace(?:\/.*)?$/ }, ({ path }) => {
      const file = DOORS[path];
      if (file !== undefined) return { path: file, namespace: NAMESPACE, sideEffects: false };
      const fault =
        path === "millrace/testing" ? `"${path}" is for tests: a function cannot import it` : `a function cannot import "${path}"`;
      return { errors: [{ text: fault, notes: [{ text: `Functions import ${Object.keys(DOORS).join(" and ")}.` }] }] };
    });
    build.onResolve({ filter: /^\.\.?\//, namespace: NAMESPACE }, ({ path, importer }) => ({
      path: posix.join(posix.dirname(importer), path),
      namespace: NAMESPACE,
      sideEffects: false,
    }));
    build.onLoad({ filter: /.*/, namespace: NAMESPACE }, async ({ path }) => ({
      contents: await readFile(new URL(path, PACKAGE)),
      loader: EXTENSION === ".ts" ? "ts" : "js",
    }));
  },
};
