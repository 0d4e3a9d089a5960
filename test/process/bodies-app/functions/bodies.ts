import { fn, http } from "millrace";

const PIECE = new Uint8Array(64 * 1024).fill(0x61);

/** Counts what comes, piece by piece. */
export const upload = fn({ on: http.put("/upload"), timeout: "10m" }, async (request, ctx) => {
  let bytes = 0;
  try {
    for await (const piece of request.body ?? []) bytes += piece.length;
  } catch (error) {
    ctx.log.info("the upload broke off", bytes, error instanceof Error ? error.name : "");
    throw error;
  }
  return { bytes };
});

/** Gives as many bytes as are asked for, as they are asked for. */
export const download = fn({ on: http.get("/download/:bytes"), timeout: "10m" }, (_request, ctx) => {
  let left = Number(ctx.params.bytes);
  const total = left;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
      left -= piece.length;
      if (piece.length > 0) controller.enqueue(piece);
      else controller.close();
    },
    cancel() {
      ctx.log.info("the download was cut", total - left);
    },
  });
  return new Response(body, { headers: { "content-length": String(total) } });
});
