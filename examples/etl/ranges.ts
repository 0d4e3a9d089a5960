/** Bytes of the file, the last one included: as HTTP's `Range` has them. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

const LOOK_BYTES = 4_096;
const NEWLINE = 0x0a;

/**
 * Parts of about `chunkBytes` that end where a line ends, so that no line is torn. `read` reads a range of the file; only a little is
 * read around each place where a part might end.
 */
export async function splitAtLines(sizeBytes: number, chunkBytes: number, read: (range: Range) => Promise<Uint8Array>): Promise<Range[]> {
  const ranges: Range[] = [];
  for (let from = 0; from < sizeBytes;) {
    const to = from + chunkBytes >= sizeBytes ? sizeBytes - 1 : await endOfLine(from + chunkBytes - 1, sizeBytes, read);
    ranges.push({ from, to });
    from = to + 1;
  }
  return ranges;
}

/** The first newline from there on, or the file's last byte. */
async function endOfLine(from: number, sizeBytes: number, read: (range: Range) => Promise<Uint8Array>): Promise<number> {
  for (let at = from; at < sizeBytes; at += LOOK_BYTES) {
    const found = (await read({ from: at, to: Math.min(at + LOOK_BYTES, sizeBytes) - 1 })).indexOf(NEWLINE);
    if (found !== -1) return at + found;
  }
  return sizeBytes - 1;
}

/** A function sees no file but its app's own: what is large comes over HTTP, piece by piece. */
export async function fetchRange(url: string, { from, to }: Range, signal: AbortSignal): Promise<Uint8Array> {
  const response = await fetch(url, { headers: { range: `bytes=${from}-${to}` }, signal });
  if (response.status !== 206) throw new Error(`${url} answered ${response.status} where 206 was asked for`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length !== to - from + 1) throw new Error(`${bytes.length} bytes came where ${to - from + 1} were asked for`);
  return bytes;
}
