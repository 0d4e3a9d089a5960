import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { type ErrorCode, MillraceError, toError } from "../../core/index.ts";

/** SQLite's primary result codes that say something about the disk rather than about us. */
const SQLITE_PERM = 3;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/** Below this much free space an I/O error is taken for a full disk: the shared-memory file cannot grow, and SQLite says only IOERR. */
const FULL_BELOW_BYTES = 1024 * 1024;

/** What went wrong with the file, in the words that every door of Millrace speaks. */
export function storeError(thrown: unknown, file: string): MillraceError {
  if (thrown instanceof MillraceError) return thrown;
  const error = toError(thrown);
  const code = codeOf(error, file);
  return new MillraceError(code, describe(code, file, error.message), { cause: error });
}

function codeOf(error: Error, file: string): ErrorCode {
  const errcode = "errcode" in error && typeof error.errcode === "number" ? error.errcode & 0xff : undefined;
  switch (errcode) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "data_corrupt";
    case SQLITE_FULL:
      return "disk_full";
    case SQLITE_IOERR:
      return isFull(file) ? "disk_full" : "data_unwritable";
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return isFull(file) ? "disk_full" : "data_unwritable";
    case undefined:
      return fileSystemCode(error);
    default:
      return "internal";
  }
}

function fileSystemCode(error: Error): ErrorCode {
  const code = "code" in error ? error.code : undefined;
  if (code === "ENOSPC" || code === "EDQUOT") return "disk_full";
  if (typeof code === "string" && /^(?:EACCES|EPERM|EROFS|ENOTDIR|ENOENT|EEXIST|EISDIR|EIO|EINVAL|ENAMETOOLONG)$/.test(code)) {
    return "data_unwritable";
  }
  return "internal";
}

function isFull(file: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(file));
    return bavail * bsize < FULL_BELOW_BYTES;
  } catch {
    return false;
  }
}

function describe(code: ErrorCode, file: string, message: string): string {
  switch (code) {
    case "data_corrupt":
      return `${file} is damaged: ${message}`;
    case "disk_full":
      return `no space left for ${file}: ${message}`;
    case "data_unwritable":
      return `${file} cannot be written: ${message}`;
    default:
      return `the store failed: ${message}`;
  }
}

/** An error as it crosses between the store's threads. */
export interface PackedError {
  readonly code: ErrorCode;
  readonly message: string;
}

export function packError(error: MillraceError): PackedError {
  return { code: error.code, message: error.message };
}

export function unpackError(packed: PackedError): MillraceError {
  return new MillraceError(packed.code, packed.message);
}
