import type { Flow } from "millrace";

export async function chain(flow: Flow, steps: number): Promise<{ done: number }> {
  let done = 0;
  for (let i = 0; i < steps; i++) {
    const { ok } = await flow.step("step", () => ({ ok: true }));
    if (ok) done++;
  }
  return { done };
}
