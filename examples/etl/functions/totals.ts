import { Fatal, flow, http } from "millrace";
import { fetchRange, splitAtLines } from "../ranges.ts";
import { addUp, sumOf } from "../sales.ts";

interface Job {
  readonly url: string;
  readonly sizeBytes: number;
  readonly chunkBytes: number;
}

/** Adds up a file that is too large for one transaction: each part is a step, some at once, and what is done stays done. */
export const totals = flow(
  { on: http.post("/totals"), retry: { attempts: 10, base: "200ms", max: "5s" }, timeout: "30s" },
  async (request, flow) => {
    const { url, sizeBytes, chunkBytes } = readJob(await request.json().catch(() => undefined));
    const parts = await flow.step("split", (tx) => splitAtLines(sizeBytes, chunkBytes, (range) => fetchRange(url, range, tx.signal)));

    const sums = await flow.map(
      "sum",
      parts,
      async (tx, part, index) => {
        const csv = new TextDecoder().decode(await fetchRange(url, part, tx.signal));
        // Commits with the part's result: whoever counts sees how often each part has been done.
        const mark = `part/${tx.id}/${String(index).padStart(6, "0")}`;
        await tx.kv.set(mark, ((await tx.kv.get<number>(mark)) ?? 0) + 1);
        return sumOf(csv);
      },
      { concurrency: 8 },
    );
    return { parts: parts.length, sums: addUp(sums) };
  },
);

function readJob(value: unknown): Job {
  const { url, sizeBytes, chunkBytes } = (value ?? {}) as Partial<Record<keyof Job, unknown>>;
  if (typeof url !== "string" || !isCount(sizeBytes) || !isCount(chunkBytes)) throw new Fatal("a job is { url, sizeBytes, chunkBytes }");
  return { url, sizeBytes, chunkBytes };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}
