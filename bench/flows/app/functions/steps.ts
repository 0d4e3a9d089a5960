import { flow, http } from "millrace";
import { chain, instances } from "../chain.ts";

export const one = flow({ on: http.post("/run/1"), instances }, (_request, flow) => chain(flow, 1));
export const three = flow({ on: http.post("/run/3"), instances }, (_request, flow) => chain(flow, 3));
export const ten = flow({ on: http.post("/run/10"), instances }, (_request, flow) => chain(flow, 10));
