import { verify } from "./drive.ts";
import type { Difference } from "./judge.ts";
import type { Op, Program } from "./program.ts";

const MOST_TRIALS = 40;

/** Tries the failing programs by themselves, without kills and with, and leaves out what is not needed for them to fail. Null: they do not. */
export async function shrink(
  programs: readonly Program[],
  differences: readonly Difference[],
  { seed, kills }: { readonly seed: number; readonly kills: number },
): Promise<Program | null> {
  const failing = programs.filter(({ id }) => differences.some(({ program }) => program === id));
  let trials = 0;
  const fails = async (program: Program, kills: number): Promise<boolean> => {
    trials++;
    const { differences } = await verify({ seed, programs: 1, kills, given: [program] });
    return differences.length > 0;
  };
  for (const program of failing.slice(0, 5)) {
    for (const few of new Set([0, Math.min(2, kills)])) {
      if (!(await fails(program, few))) continue;
      return await smallestOf(program, (candidate) => (trials < MOST_TRIALS ? fails(candidate, few) : Promise.resolve(false)));
    }
  }
  return null;
}

async function smallestOf(program: Program, fails: (program: Program) => Promise<boolean>): Promise<Program> {
  const smaller = await firstFailing(candidates(program), fails);
  return smaller === null ? program : await smallestOf(smaller, fails);
}

async function firstFailing(candidates: readonly Program[], fails: (program: Program) => Promise<boolean>): Promise<Program | null> {
  for (const candidate of candidates) if (await fails(candidate)) return candidate;
  return null;
}

/** The same program with one thing less. */
function candidates(program: Program): Program[] {
  const smaller: Program[] = program.ops.map((_, left) => ({ ...program, ops: program.ops.filter((_, i) => i !== left) }));
  for (const [at, op] of program.ops.entries())
    for (const simpler of simplerOps(op)) smaller.push({ ...program, ops: program.ops.with(at, simpler) });
  return smaller;
}

function simplerOps(op: Op): Op[] {
  switch (op.op) {
    case "child":
      return candidates(op.program).map((program) => ({ ...op, program }));
    case "all":
      return op.ops.map((_, left) => ({ ...op, ops: op.ops.filter((_, i) => i !== left) }));
    case "map":
      return op.items > op.broken ? [{ ...op, items: op.items - 1 }] : [];
    case "step":
      return op.fails > 0 ? [{ ...op, fails: 0 }] : [];
    default:
      return [];
  }
}
