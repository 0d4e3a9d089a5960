import { flow, type Flow, http } from "millrace";

export const one = flow({ on: http.post("/run/1") }, (_request, flow) => chain(flow, 1));
export const three = flow({ on: http.post("/run/3") }, (_request, flow) => chain(flow, 3));
export const ten = flow({ on: http.post("/run/10") }, (_request, flow) => chain(flow, 10));

async function chain(flow: Flow, steps: number): Promise<{ done: number }> {
  let done = 0;
  for (let i = 0; i < steps; i++) {
    const { ok } = await flow.step("step", () => ({ ok: true }));
    if (ok) done++;
  }
  return { done };
}
