import type { Run, RunNote } from "../control/client/index.ts";
import type { Io } from "./io.ts";
import { printable } from "./show-condition.ts";
import { shellWord } from "./shell-word.ts";
import { table } from "./table.ts";
import type { TimelineItem } from "./timeline/timeline.ts";
import { errorWords } from "./timeline/words.ts";

/** Why a run stands still, on one line. */
export function standstillWords(note: RunNote): string {
  switch (note.why) {
    case "exhausted": {
      const number = note.number === 1 ? "" : ` #${note.number}`;
      const often = note.attempts === 1 ? "in its only attempt" : `in all of its ${note.attempts} attempts`;
      return `${note.verb} ${printable(note.name)}${number} failed ${often}: ${errorWords(note.error)}`;
    }
    case "mismatch":
      return `its journal does not fit the code: ${printable(note.mismatch.recorded)} is not asked for`;
    case "release-gone":
      return `its release ${note.release} is gone`;
    case "failing":
      return `it could not go on, ${note.attempts} times: ${errorWords(note.error)}`;
    default:
      return note satisfies never;
  }
}

/** Of a run that stands still: why, and the commands by which a person lets it go on. */
export function showStandstill({ id, state, note }: Run, items: readonly TimelineItem[], io: Io): readonly string[] {
  if (note === null) return [];
  const colors = io.outColors;
  const rows = waysOn(note, shellWord(id), items).map(([line, says]) => [`  millrace runs ${line}`, colors.dim(says)]);
  return [
    `${colors.bold(colors.red(state === "stuck" ? "Stuck" : "Paused"))}: ${standstillWords(note)}`,
    ...(note.why === "mismatch" ? showMismatch(note.mismatch, io) : []),
    colors.bold("How it goes on"),
    table({ rows, columns: io.columns }),
  ];
}

export function showMismatch({ pos, recorded, attempted }: Extract<RunNote, { why: "mismatch" }>["mismatch"], io: Io): readonly string[] {
  const colors = io.outColors;
  const asked = attempted.map(({ command, at }, i) => [
    i === 0 ? `  ${colors.dim("the code asks for")}` : "",
    colors.red(printable(command)),
    at === null ? "" : colors.dim(`at ${at}`),
  ]);
  const rows = [
    [`  ${colors.dim("the journal has")}`, colors.green(printable(recorded)), colors.dim(`at position ${pos}`)],
    ...(asked.length > 0 ? asked : [[`  ${colors.dim("the code")}`, colors.red("comes to its end")]]),
  ];
  return [table({ rows, columns: io.columns })];
}

type Way = readonly [line: string, says: string];

function waysOn(note: RunNote, id: string, items: readonly TimelineItem[]): readonly Way[] {
  const cancel: Way = [`cancel ${id}`, "give it up: what its steps did is rolled back"];
  const live: Way = [`resume ${id} --release live`, "go on by the live release's code"];
  switch (note.why) {
    case "exhausted":
      if (note.verb === "rollback")
        return [
          [`resume ${id}`, "try the rollback again, with all its attempts"],
          [`resume ${id} --result null`, "you have undone it by hand: go on with the next"],
        ];
      return [
        [`resume ${id}`, "try the step again, with all its attempts"],
        [`resume ${id} --result JSON`, "you have done it by hand: this is its result"],
        cancel,
      ];
    case "mismatch":
      return [
        [`resume ${id} --release live`, "once the live release fits: go on by its code"],
        [`fork ${id} --from ${shellWord(lastBefore(note.mismatch.pos, items))} --release live`, "a new run that does all from there anew"],
        cancel,
      ];
    case "release-gone":
      return [live, cancel];
    case "failing":
      return [[`resume ${id}`, "try again"], live, cancel];
    default:
      return note satisfies never;
  }
}

/** What was done last before the journal and the code part. */
function lastBefore(pos: number, items: readonly TimelineItem[]): string {
  const last = items.findLast((item) => item.pos <= pos && item.verb !== "run");
  if (last === undefined) return "STEP";
  return last.number === 1 ? last.name : `${last.name}#${last.number}`;
}
