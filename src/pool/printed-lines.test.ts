import { describe, expect, it } from "vitest";
import { PrintedLines } from "./printed-lines.ts";

function printer(): { lines: string[]; printed: PrintedLines } {
  const lines: string[] = [];
  return { lines, printed: new PrintedLines((level, text) => lines.push(`${level} ${text}`)) };
}

describe("what a process prints", () => {
  it("O1: is cut into lines, however it comes, one stream apart from the other", () => {
    const { lines, printed } = printer();
    for (const byte of Buffer.from("grüße\nzwei")) printed.push("stdout", Buffer.from([byte]));
    printed.push("stderr", Buffer.from("oh\n"));
    expect(lines).toEqual(["info grüße", "error oh"]);
    printed.flush();
    expect(lines.at(-1)).toBe("info zwei");
  });

  it("O2: is bounded in lines and bytes, tells what was dropped, and begins anew with a call", () => {
    const { lines, printed } = printer();
    printed.push("stdout", Buffer.from("x\n".repeat(1500)));
    printed.flush();
    expect(lines).toHaveLength(1001);
    expect(lines.at(-1)).toBe("warn … 1000 more bytes were printed and dropped");
    printed.renew();
    lines.length = 0;
    printed.push("stdout", Buffer.from("next\n"));
    for (let i = 0; i < 10; i++) printed.push("stdout", Buffer.alloc(65_536, 120));
    printed.flush();
    expect(lines[0]).toBe("info next");
    expect(lines.join("").length).toBeLessThan(400_000);
    expect(lines.at(-1)).toMatch(/more bytes were printed and dropped$/);
  });

  it("O2: empty lines count too", () => {
    const { lines, printed } = printer();
    printed.push("stdout", Buffer.alloc(2 ** 20, 10));
    printed.flush();
    expect(lines).toEqual([expect.stringMatching(/^warn … \d+ more bytes/)]);
  });

  it("O3: beyond 64 MiB in one call the stream is to be closed", () => {
    const { lines, printed } = printer();
    const piece = Buffer.alloc(2 ** 20, 120);
    for (let i = 0; i < 64; i++) expect(printed.push("stderr", piece)).toBe(true);
    expect(printed.push("stderr", piece)).toBe(false);
    expect(lines.at(-1)).toContain("64 MiB");
  });
});
