import type { CloudEvent, Context } from "millrace";

/**
 * Writes one line for people, and counts. The functions here have `concurrency: { function: 1 }`, so that a counter has
 * one writer: without it the counts would be right as well, but two at once would mean that one of them runs again.
 */
export async function notice(ctx: Context, board: string, event: CloudEvent, text: string): Promise<void> {
  const count = (await ctx.kv.get<number>(`count/${board}`)) ?? 0;
  await ctx.kv.set(`count/${board}`, count + 1);
  await ctx.kv.set(`notice/${board}/${event.id}`, text);
}
