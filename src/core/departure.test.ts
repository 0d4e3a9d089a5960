import { expect, it } from "vitest";
import { Departure, type LeaveSignal } from "./departure.ts";

it("everybody who listens hears of it, once, whoever stopped listening before does not", () => {
  const departure = new Departure();
  const heard: string[] = [];
  const stopped = (): number => heard.push("stopped");
  departure.addEventListener("abort", () => heard.push("first"));
  departure.addEventListener("abort", stopped);
  departure.addEventListener("abort", () => heard.push("second"));
  departure.removeEventListener("abort", stopped);
  expect(departure.aborted).toBe(false);
  departure.abort();
  departure.abort();
  expect([departure.aborted, heard]).toEqual([true, ["first", "second"]]);
});

it("a real AbortSignal will do where one is asked for", () => {
  const controller = new AbortController();
  const signal: LeaveSignal = controller.signal;
  let left = false;
  signal.addEventListener("abort", () => (left = true), { once: true });
  controller.abort();
  expect([signal.aborted, left]).toEqual([true, true]);
});
