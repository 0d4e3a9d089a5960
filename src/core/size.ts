import { MillraceError } from "./errors.ts";

const UNIT_BYTES = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 } as const;

/** An amount of memory or data as people write it: `"128mb"`, or a number of bytes. */
export type Size = number | string;

export function parseSizeBytes(value: Size): number {
  if (typeof value === "number") {
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw new MillraceError("bad_option", `a size cannot be ${value}: use whole bytes from 0 up, or text such as "128mb"`);
  }
  const found = /^(\d+(?:\.\d+)?)\s*(b|kb|mb|gb)$/i.exec(value.trim());
  if (found === null)
    throw new MillraceError("bad_option", `"${value}" is no size: write a number and a unit (b, kb, mb, gb), such as "128mb"`);
  const unit = (found[2] ?? "b").toLowerCase() as keyof typeof UNIT_BYTES;
  return Math.round(Number(found[1]) * UNIT_BYTES[unit]);
}

export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value >= 100 ? Math.round(value) : value.toFixed(1).replace(/\.0$/, "")} ${units[unit]}`;
}
