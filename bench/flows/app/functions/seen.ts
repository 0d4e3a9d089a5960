import { createServer } from "node:net";
import { flow, http } from "millrace";
import { chain, instances } from "../chain.ts";

/** The process has been seen from outside, as one is that calls a service: from then on each step waits for the commit of the one before. */
createServer().listen(0, "127.0.0.1").unref();

export const seenOne = flow({ on: http.post("/seen/1"), instances }, (_request, flow) => chain(flow, 1));
export const seenThree = flow({ on: http.post("/seen/3"), instances }, (_request, flow) => chain(flow, 3));
export const seenTen = flow({ on: http.post("/seen/10"), instances }, (_request, flow) => chain(flow, 10));
