import { describe, expect, it } from "vitest";
import { isFiltered, systemCallFilter } from "./seccomp.ts";
import { ABSENT, type CallNumbers, FORBIDDEN, STARTING } from "./syscalls.ts";

const AUDIT = { x64: 0xc000_003e, arm64: 0xc000_00b7 } as const;
const COLUMN = { x64: 0, arm64: 1 } as const;
const CLONE = { x64: 56, arm64: 220 } as const;
const SOCKET = { x64: 41, arm64: 198 } as const;
const THREAD_FLAGS = 0x3d_0f00;
const NEW_USER = 0x1000_0000;

/** The kernel's machine, as far as the program uses it: what would it say to this call? */
function ask(program: Buffer, audit: number, number: number, argument = 0): string {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number >>> 0, 0);
  data.writeUInt32LE(audit, 4);
  data.writeUInt32LE(argument, 16);
  let word = 0;
  for (let at = 0; at < program.length; at += 8) {
    const [code, yes, no, value] = [program.readUInt16LE(at), program[at + 2] ?? 0, program[at + 3] ?? 0, program.readUInt32LE(at + 4)];
    if (code === 0x20) word = data.readUInt32LE(value);
    else if (code === 0x06) return verdict(value);
    else at += 8 * (holds(code, word, value) ? yes : no);
  }
  throw new Error("the program has no end");
}

function holds(code: number, word: number, value: number): boolean {
  if (code === 0x15) return word === value;
  if (code === 0x35) return word >= value;
  if (code === 0x45) return (word & value) !== 0;
  throw new Error(`a step that is none: ${code}`);
}

function verdict(value: number): string {
  if (value === 0x7fff_0000) return "allow";
  return value === 0x8000_0000 ? "kill" : `errno ${value - 0x5_0000}`;
}

describe.each(["x64", "arm64"] as const)("W9: the filter of system calls on %s", (arch) => {
  const plain = systemCallFilter(arch, false);
  const starting = systemCallFilter(arch, true);
  const named = (calls: Readonly<Record<string, CallNumbers>>): [string, number][] =>
    Object.entries(calls).flatMap(([name, { [COLUMN[arch]]: number }]) => (number === null ? [] : [[name, number] as [string, number]]));

  it("refuses each call of the list and says of others that there is none", () => {
    for (const [name, number] of named(FORBIDDEN)) expect([name, ask(starting, AUDIT[arch], number)]).toEqual([name, "errno 1"]);
    for (const [name, number] of named(ABSENT)) expect([name, ask(starting, AUDIT[arch], number)]).toEqual([name, "errno 38"]);
  });

  it("lets every other call pass", () => {
    const listed = new Set([...named(FORBIDDEN), ...named(ABSENT), ...named(STARTING)].map(([, number]) => number));
    for (let number = 0; number < 460; number++) {
      if (listed.has(number) || number === CLONE[arch] || number === SOCKET[arch]) continue;
      expect([number, ask(plain, AUDIT[arch], number)]).toEqual([number, "allow"]);
    }
  });

  it("tells threads from processes and from namespaces", () => {
    expect(ask(plain, AUDIT[arch], CLONE[arch], THREAD_FLAGS)).toBe("allow");
    expect(ask(plain, AUDIT[arch], CLONE[arch], 17)).toBe("errno 1");
    expect(ask(starting, AUDIT[arch], CLONE[arch], 17)).toBe("allow");
    for (const program of [plain, starting]) expect(ask(program, AUDIT[arch], CLONE[arch], NEW_USER | THREAD_FLAGS)).toBe("errno 1");
    for (const [, number] of named(STARTING))
      expect([ask(plain, AUDIT[arch], number), ask(starting, AUDIT[arch], number)]).toEqual(["errno 1", "allow"]);
  });

  it("knows four families of sockets", () => {
    const families = Array.from({ length: 46 }, (_, family) => family).filter(
      (family) => ask(plain, AUDIT[arch], SOCKET[arch], family) === "allow",
    );
    expect(families).toEqual([1, 2, 10, 16]);
    expect(ask(plain, AUDIT[arch], SOCKET[arch], 40)).toBe("errno 97");
  });

  it("ends who calls by another architecture's numbers", () => {
    expect(ask(plain, arch === "x64" ? AUDIT.arm64 : AUDIT.x64, 0)).toBe("kill");
    expect(ask(plain, 0x4000_0003, 0)).toBe("kill");
  });
});

it("W9: x64's second set of numbers is no way round", () => {
  expect(ask(systemCallFilter("x64", true), AUDIT.x64, 0x4000_0000 + 101)).toBe("errno 1");
});

it("W9: other architectures have no filter", () => {
  expect(["x64", "arm64", "riscv64", "toString"].map(isFiltered)).toEqual([true, true, false, false]);
});
