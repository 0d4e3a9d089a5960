import { describe, expect, it } from "vitest";
import { checkSyncs } from "./sync-check.ts";
import { parseTrace } from "./syscall-trace.ts";

/** The judge of the sync test, on traces written by hand. Thread 10 serves, thread 11 stores. */
const WAL = "21</data/millrace.db-wal>";
const SOCKET = "25<TCP:[127.0.0.1:4800->127.0.0.1:50000]>";
const REQUEST = String.raw`10 read(${SOCKET}, "POST /_/events HTTP/1.1\r\n\r\n{\"id\":\"mk000001\"}", 65536) = 120`;
const WRITE = String.raw`11 pwrite64(${WAL}, "\2\0mk000001{\"a\"", 4096, 56) = 4096`;
const SYNC = `11 fdatasync(${WAL}) = 0`;
const ANSWER = String.raw`10 write(${SOCKET}, "HTTP/1.1 202 Accepted\r\n\r\n{}", 80) = 80`;

const faultsOf = (...lines: string[]): readonly string[] => checkSyncs(parseTrace(lines.join("\n"))).faults;

describe("the check of syncs", () => {
  it("is content with write, sync, answer", () => {
    const report = checkSyncs(parseTrace([REQUEST, WRITE, SYNC, ANSWER, "11 +++ exited with 0 +++"].join("\n")));
    expect(report).toEqual({ acknowledged: ["mk000001"], syncs: 1, faults: [] });
  });

  it("finds an answer before the sync", () => {
    expect(faultsOf(REQUEST, WRITE, ANSWER, SYNC)).toEqual([expect.stringContaining("no sync of /data/millrace.db-wal between")]);
  });

  it("finds an answer while the sync has not ended", () => {
    const faults = faultsOf(REQUEST, WRITE, `11 fdatasync(${WAL} <unfinished ...>`, ANSWER, "11 <... fdatasync resumed>) = 0");
    expect(faults).toHaveLength(1);
  });

  it("finds a sync that had begun before the write", () => {
    const faults = faultsOf(REQUEST, `12 fdatasync(${WAL} <unfinished ...>`, WRITE, "12 <... fdatasync resumed>) = 0", ANSWER);
    expect(faults).toHaveLength(1);
  });

  it("finds a sync of another file", () => {
    expect(faultsOf(REQUEST, WRITE, "11 fdatasync(20</data/millrace.db>) = 0", ANSWER)).toHaveLength(1);
  });

  it("finds a sync that failed", () => {
    expect(faultsOf(REQUEST, WRITE, `11 fdatasync(${WAL}) = -1 EIO (Input/output error)`, ANSWER)).toHaveLength(1);
  });

  it("finds an answer to what was never written", () => {
    expect(faultsOf(REQUEST, SYNC, ANSWER)).toEqual([expect.stringContaining("before it was written")]);
  });

  it("is content with an answer after a call that ended late, and with a request that came in two pieces", () => {
    const lines = [
      `10 read(${SOCKET},  <unfinished ...>`,
      WRITE,
      String.raw`10 <... read resumed>"POST /note HTTP/1.1\r\n\r\n", 65536) = 60`,
      String.raw`10 read(${SOCKET}, "mk000001", 65536) = 8`,
      `11 fdatasync(${WAL} <unfinished ...>`,
      "11 <... fdatasync resumed>) = 0",
      String.raw`10 writev(${SOCKET}, [{iov_base="HTTP/1.1 202 Accepted\r\n\r\n", iov_len=40}, {iov_base="{}", iov_len=2}], 2) = 42`,
    ];
    expect(checkSyncs(parseTrace(lines.join("\n")))).toEqual({ acknowledged: ["mk000001"], syncs: 1, faults: [] });
  });

  it("a refusal acknowledges nothing, nor does the next request's answer acknowledge what was refused", () => {
    const refusal = String.raw`10 write(${SOCKET}, "HTTP/1.1 503 Service Unavailable\r\n\r\n", 80) = 80`;
    const next = String.raw`10 read(${SOCKET}, "POST /_/events HTTP/1.1\r\n\r\n", 65536) = 120`;
    expect(faultsOf(REQUEST, refusal, next, ANSWER)).toEqual([]);
  });
});
