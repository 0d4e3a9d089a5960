import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FRAME } from "../protocol/frame.ts";
import { type Instance, Workshop } from "./testing-support/instance.ts";

let workshop: Workshop;
beforeAll(async () => {
  workshop = await Workshop.open();
});
afterAll(() => workshop.close());


describe("an instance", () => {
  it("B1: says ready first, with its protocol, pid and runtime", async () => {
    const instance = workshop.start();
    await instance.frame(FRAME.ready);
    expect(instance.frames[0]?.type).toBe(FRAME.ready);
    expect(instance.frames[0]?.head).toEqual({ protocol: 1, pid: instance.pid, runtime: expect.stringMatching(/^node \d+/) });
  });

  it("B2: loads a function and answers hello", async () => {
    const instance = await workshop.run(`
      import { fn, http } from "millrace";
      export const f = fn({ on: http.get("/") }, () => "hello");`);
    const end = await instance.http(1);
    expect(end.head).toEqual({ status: 200, headers: ["content-type", "text/plain;charset=utf-8"] });
    expect(end.body.toString()).toBe("hello");
  });
});
