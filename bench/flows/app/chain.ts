import type { Flow } from "millrace";

/** One stays, however long the other contenders' turns are: their services are processes that stay, too. */
export const instances = { min: 1 } as const;

export async function chain(flow: Flow, steps: number): Promise<{ done: number }> {
  let done = 0;
  for (let i = 0; i < steps; i++) {
    const { ok } = await flow.step("step", () => ({ ok: true }));
    if (ok) done++;
  }
  return { done };
}
