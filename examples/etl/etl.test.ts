import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestApp, testApp } from "millrace/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FileServer } from "./input/file-server.ts";
import { type Written, writeSales } from "./input/write-sales.ts";
import { judgeJob } from "./job/judge.ts";
import { TotalsClient } from "./job/totals-client.ts";
import { type Range, splitAtLines } from "./ranges.ts";
import { addUp, sumOf } from "./sales.ts";

const ROWS = 3_000;

let folder: string;
let path: string;
let written: Written;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-etl-test-"));
  path = join(folder, "sales.csv");
  written = await writeSales(path, ROWS, 1);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the file", () => {
  it("has what its writer says, and is the same for the same seed", async () => {
    const text = await readFile(path, "utf8");
    expect(Buffer.byteLength(text)).toBe(written.sizeBytes);
    expect(sumOf(text)).toEqual(written.sums);
    expect(Object.values(written.sums).reduce((rows, sum) => rows + sum.rows, 0)).toBe(ROWS);
    const again = join(folder, "again.csv");
    expect(await writeSales(again, ROWS, 1)).toEqual(written);
    expect(await readFile(again, "utf8")).toBe(text);
    expect(await writeSales(again, ROWS, 2)).not.toEqual(written);
  });

  it.each([1, 37, 4_096, 10_000, 1_000_000])("split into parts of about %i bytes loses no byte and tears no line", async (chunkBytes) => {
    const bytes = new Uint8Array(await readFile(path)).subarray(0, 30_000);
    const read = ({ from, to }: Range): Promise<Uint8Array> => Promise.resolve(bytes.subarray(from, to + 1));
    const parts = await splitAtLines(bytes.length, chunkBytes, read);
    const texts = parts.map(({ from, to }) => Buffer.from(bytes.subarray(from, to + 1)).toString());
    expect(texts.join("")).toBe(Buffer.from(bytes).toString());
    expect(texts.slice(0, -1).filter((text) => !text.endsWith("\n"))).toEqual([]);
    expect(addUp(texts.map(sumOf))).toEqual(sumOf(texts.join("")));
  });

  it("without a single end of line is one part", async () => {
    const bytes = new Uint8Array(9_000).fill(0x61);
    const parts = await splitAtLines(bytes.length, 1_000, ({ from, to }) => Promise.resolve(bytes.subarray(from, to + 1)));
    expect(parts).toEqual([{ from: 0, to: 8_999 }]);
  });
});

describe("the job", () => {
  it("adds up what the writer wrote, each part done once, though its instance dies again and again", async () => {
    await using files = await FileServer.start(path);
    await using app: TestApp = await testApp(new URL(".", import.meta.url));
    app.crashAfter("totals", "split");
    app.crashAfter("totals", "sum");
    app.crashAfter("totals", "sum");
    const client = new TotalsClient(app.url);
    const run = await client.begin({ url: files.url, sizeBytes: written.sizeBytes, chunkBytes: 8_192 });
    await app.settled();

    const result = await client.result(run);
    expect(result?.parts).toBeGreaterThan(8);
    const counts = await client.counts(run);
    expect(judgeJob({ written: written.sums, summed: result?.sums ?? {}, parts: result?.parts ?? 0, counts })).toEqual([]);
  });

  it("that is none fails, and so does its request", async () => {
    await using app = await testApp(new URL(".", import.meta.url));
    expect((await app.request("/totals", { method: "POST", body: "{}" })).status).toBe(500);
    const [run] = await app.runs("totals");
    await expect(run?.result()).rejects.toThrow("a job is { url, sizeBytes, chunkBytes }");
  });
});

describe("the judge", () => {
  const right = { rows: 1, pieces: 2, cents: 3 };
  const good = { written: { a: right }, summed: { a: right }, parts: 2, counts: [1, 1] };

  it("finds nothing where nothing is wrong", () => {
    expect(judgeJob(good)).toEqual([]);
  });

  it("finds a wrong sum, a missing one, a part too few and a part done twice", () => {
    expect(judgeJob({ ...good, summed: { a: { ...right, cents: 4 } } })).toHaveLength(1);
    expect(judgeJob({ ...good, summed: {} })).toHaveLength(1);
    expect(judgeJob({ ...good, counts: [1] })).toEqual(["1 parts were done, not 2"]);
    expect(judgeJob({ ...good, counts: [1, 2] })).toEqual(["1 parts were done more than once"]);
  });
});
