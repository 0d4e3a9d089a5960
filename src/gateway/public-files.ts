import { realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import send from "send";
import { MillraceError } from "../core/index.ts";
import type { Exchange } from "./exchange.ts";

/** A file that may be served, or the slash that a folder's address lacks. */
export type PublicFile = { readonly kind: "file"; readonly root: string; readonly path: string } | { readonly kind: "folder" };

/**
 * The app's `public` folder. What is asked for is resolved to the file that it really is before anything is decided, so that neither
 * `..` nor a symbolic link leads out of the folder; the answer itself (types, ranges, conditions) is the library's.
 */
export class PublicFiles {
  private readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  async find(path: string): Promise<PublicFile | undefined> {
    const segments = readSegments(path);
    if (segments === undefined) return undefined;
    try {
      const root = await realpath(this.directory);
      const asked = await realpath(join(root, ...segments));
      const isFolder = (await stat(asked)).isDirectory();
      if (!isFolder) return path.endsWith("/") ? undefined : await fileWithin(root, asked);
      const index = await fileWithin(root, await realpath(join(asked, "index.html")));
      return index === undefined || path.endsWith("/") ? index : { kind: "folder" };
    } catch {
      // Absent, unreadable, a name that is no name: for whoever asks there is no such file.
      return undefined;
    }
  }

  serve(exchange: Exchange, file: Extract<PublicFile, { kind: "file" }>): void {
    const { request, response } = exchange;
    if (exchange.mustClose) response.setHeader("connection", "close");
    const encoded = file.path.split(sep).map(encodeURIComponent).join("/");
    send(request, `/${encoded}`, { root: file.root, dotfiles: "allow", index: false, maxAge: 0 })
      .on("error", (error: Error & { status?: number; headers?: Record<string, string> }) => {
        exchange.sendError(fileError(error), { status: error.status ?? 500, headers: Object.entries(error.headers ?? {}).flat() });
      })
      .pipe(response);
  }
}

async function fileWithin(root: string, real: string): Promise<PublicFile | undefined> {
  if (!real.startsWith(root + sep)) return undefined;
  const path = real.slice(root.length + 1);
  if (path.split(sep).some(isHidden) || !(await stat(real)).isFile()) return undefined;
  return { kind: "file", root, path };
}

function readSegments(path: string): readonly string[] | undefined {
  const segments: string[] = [];
  for (const raw of path.split("/")) {
    let segment: string;
    try {
      segment = decodeURIComponent(raw);
    } catch {
      return undefined;
    }
    if (isHidden(segment) || /[/\\\0]/.test(segment)) return undefined;
    if (segment !== "") segments.push(segment);
  }
  return segments;
}

/** Dot files are nobody's business, but for the one folder that is meant for the public (RFC 8615). */
function isHidden(segment: string): boolean {
  return segment.startsWith(".") && segment !== ".well-known";
}

function fileError(error: Error & { status?: number }): MillraceError {
  switch (error.status) {
    case 404:
      return new MillraceError("not_found", "there is no such file");
    case 412:
      return new MillraceError("bad_request", "the file has changed: a condition of the request does not hold");
    case 416:
      return new MillraceError("bad_request", "the file does not have the range that was asked for");
    default:
      return new MillraceError("internal", "the file cannot be read", { cause: error });
  }
}
