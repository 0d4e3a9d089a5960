import { ABSENT, type CallNumbers, CLONE, CLONE_NEW, CLONE_THREAD, FORBIDDEN, SOCKET, SOCKET_FAMILIES, STARTING } from "./syscalls.ts";

/** A step of the kernel's packet filter machine; a jump names the label where it goes, none is the next step. */
interface Step {
  readonly label?: Label;
  readonly code: number;
  readonly value: number;
  readonly yes?: Label;
  readonly no?: Label;
}

type Label = "clone" | "socket" | "allow" | "refuse" | "absent" | "kill";

const LOAD_WORD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;

const ALLOW = 0x7fff_0000;
const KILL_PROCESS = 0x8000_0000;
const FAIL_WITH = 0x0005_0000;
const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

/** Where the kernel's seccomp_data has the number, the architecture, and the low half of the first argument (both machines are little-endian). */
const NUMBER_AT = 0;
const ARCHITECTURE_AT = 4;
const FIRST_ARGUMENT_AT = 16;

const ARCHITECTURES = { x64: { column: 0, audit: 0xc000_003e }, arm64: { column: 1, audit: 0xc000_00b7 } } as const;
/** x64 has a second set of numbers, for the x32 ABI: nobody speaks it, and it must not be a way round. */
const X32_FROM = 0x4000_0000;

export type FilteredArchitecture = keyof typeof ARCHITECTURES;

export function isFiltered(arch: string): arch is FilteredArchitecture {
  return Object.hasOwn(ARCHITECTURES, arch);
}

/**
 * The filter of system calls, as the kernel takes it. `processes`: the function may start some. A refusal is an errno and
 * not the end, since libraries ask for what they can do without; calls of another architecture are the end.
 */
export function systemCallFilter(arch: FilteredArchitecture, processes: boolean): Buffer {
  return assemble(stepsOf(arch, processes));
}

function stepsOf(arch: FilteredArchitecture, processes: boolean): Step[] {
  const { column, audit } = ARCHITECTURES[arch];
  const each = (calls: readonly CallNumbers[], go: Label): Step[] =>
    calls.flatMap(({ [column]: number }) => (number === null ? [] : [{ code: JUMP_EQUAL, value: number, yes: go }]));
  return [
    { code: LOAD_WORD, value: ARCHITECTURE_AT },
    { code: JUMP_EQUAL, value: audit, no: "kill" },
    { code: LOAD_WORD, value: NUMBER_AT },
    ...(arch === "x64" ? [{ code: JUMP_AT_LEAST, value: X32_FROM, yes: "refuse" } as const] : []),
    ...each(Object.values(FORBIDDEN), "refuse"),
    ...each(Object.values(ABSENT), "absent"),
    ...(processes ? [] : each(Object.values(STARTING), "refuse")),
    ...each([CLONE], "clone"),
    ...each([SOCKET], "socket"),
    { code: RETURN, value: ALLOW },

    { label: "clone", code: LOAD_WORD, value: FIRST_ARGUMENT_AT },
    { code: JUMP_ANY_BIT, value: CLONE_NEW, yes: "refuse" },
    { code: JUMP_ANY_BIT, value: CLONE_THREAD, yes: "allow", no: processes ? "allow" : "refuse" },

    { label: "socket", code: LOAD_WORD, value: FIRST_ARGUMENT_AT },
    ...SOCKET_FAMILIES.map((value): Step => ({ code: JUMP_EQUAL, value, yes: "allow" })),
    { code: RETURN, value: FAIL_WITH | EAFNOSUPPORT },

    { label: "allow", code: RETURN, value: ALLOW },
    { label: "refuse", code: RETURN, value: FAIL_WITH | EPERM },
    { label: "absent", code: RETURN, value: FAIL_WITH | ENOSYS },
    { label: "kill", code: RETURN, value: KILL_PROCESS },
  ];
}

/** 8 bytes a step: code, two distances of a jump, value. */
function assemble(steps: readonly Step[]): Buffer {
  const program = Buffer.alloc(steps.length * 8);
  const distance = (from: number, to: Label | undefined): number =>
    to === undefined ? 0 : steps.findIndex(({ label }) => label === to) - from - 1;
  for (const [at, { code, value, yes, no }] of steps.entries()) {
    program.writeUInt16LE(code, at * 8);
    // A distance beyond 255 or backwards throws here.
    program.writeUInt8(distance(at, yes), at * 8 + 2);
    program.writeUInt8(distance(at, no), at * 8 + 3);
    program.writeUInt32LE(value >>> 0, at * 8 + 4);
  }
  return program;
}
