import type { FunctionTest, PatternTest, SqlTest } from "../control/client/index.ts";
import type { Colors, Io } from "./io.ts";
import { mark } from "./mark.ts";
import { foundWords, printable, wantedWords } from "./show-condition.ts";
import { stateWord } from "./show-delivery.ts";
import { showTriggers } from "./show-function.ts";
import { showOperands } from "./show-sql.ts";
import { table } from "./table.ts";

type Branch = PatternTest["branches"][number];
type Condition = Branch["conditions"][number];

/** What is shown of the explanation of a pattern, or of a trigger. */
interface Explained {
  readonly branches: readonly Branch[];
  readonly branchCount: number;
}

/** So many of the other branches are shown: those that came furthest. */
const MOST_OTHERS = 5;

export function showPatternTest(test: PatternTest, io: Io): readonly string[] {
  return [verdict(test, io), ...showExplained(test, io)];
}

export function showSqlTest(test: SqlTest, io: Io): readonly string[] {
  return [verdict(test, io), ...showOperands(test, io)];
}

function verdict({ matched, event }: PatternTest | SqlTest, io: Io): string {
  return `${mark(matched, io.outColors)} ${eventWords(event)} ${matched ? "matches" : "does not match"}`;
}

export function showFunctionTest(test: FunctionTest, io: Io): readonly string[] {
  const colors = io.outColors;
  const { fn, matched, triggers } = test;
  const verdict = matched ? "has a trigger that matches" : triggers.length > 0 ? "has no trigger that matches" : "has no event trigger:";
  const tests = triggers.flatMap((each) => [
    `${mark(each.matched, colors)} ${colors.bold(showTriggers([each.trigger]))}`,
    ...showExplained(each, io),
    ...(each.sql === null ? [] : showOperands(each.sql, io)),
  ]);
  const what = triggers.length > 0 ? eventWords(test.event) : "no event wakes it";
  return [`${mark(matched, colors)} ${colors.bold(fn)} ${verdict} ${what}`, ...tests, ...deliveryWords(test, colors)];
}

function eventWords(event: PatternTest["event"]): string {
  return event === null ? "the event" : `${event.type} ${event.id} (seq ${event.seq})`;
}

/** What became of an event of the log, and why that may differ from what matches now. */
function deliveryWords({ fn, matched, event, delivery }: FunctionTest, colors: Colors): readonly string[] {
  if (event === null) return [];
  if (delivery === null)
    return matched
      ? [`It has no delivery to ${fn} all the same: the release that was live when it came decided that, or it has been deleted since.`]
      : [];
  const was = `delivery ${delivery.seq}, ${stateWord(delivery.state, colors)}`;
  return matched
    ? [`It woke ${fn}: ${was}.`]
    : [`It went to ${fn} all the same (${was}): it was for this function alone, or the release of that moment wanted it.`];
}

function showExplained({ branches, branchCount }: Explained, io: Io): readonly string[] {
  const [first, ...others] = branches;
  if (first === undefined) return [];
  const own = showConditions(first.conditions, io);
  if (branchCount === 1) return own;
  const colors = io.outColors;
  const { matched } = first;
  const word = matched ? "matches" : "came furthest";
  const head = `  ${colors.dim(`Of ${branchCount} branches ($or) number ${first.branch} ${word}:`)}`;
  return matched ? [head, ...own] : [head, ...own, ...showOthers(others, branchCount - 1, io)];
}

function showOthers(others: readonly Branch[], count: number, io: Io): readonly string[] {
  const colors = io.outColors;
  const rows = others.slice(0, MOST_OTHERS).map(({ branch, conditions }) => {
    const failed = conditions.find(({ holds }) => !holds);
    const held = `${conditions.filter(({ holds }) => holds).length} of ${conditions.length} hold`;
    return [colors.dim(`  branch ${branch}`), held, ...(failed === undefined ? [] : cells(failed, colors))];
  });
  const left = count - rows.length;
  const more = left > 0 ? [colors.dim(`  … and ${left} more`)] : [];
  return [...table({ rows, columns: io.columns }).split("\n"), ...more];
}

/** A line a condition, and one more for what most likely was meant. */
function showConditions(conditions: readonly Condition[], io: Io): readonly string[] {
  const colors = io.outColors;
  const head = ["   ", "PATH", "WANTED", "FOUND"].map(colors.dim);
  const rows = conditions.map((condition) => {
    const [sign = "", ...rest] = cells(condition, colors);
    return [`  ${sign}`, ...rest];
  });
  const [title = "", ...lines] = table({ head, rows, columns: io.columns }).split("\n");
  return [
    title,
    ...lines.flatMap((text, i) => {
      const hint = conditions[i]?.hint;
      return hint === undefined ? [text] : [text, `     ${colors.yellow(`→ ${printable(hint)}`)}`];
    }),
  ];
}

function cells({ holds, path, condition, found, reason }: Condition, colors: Colors): readonly string[] {
  const name = printable(path);
  return [
    mark(holds, colors),
    holds ? name : colors.bold(name),
    wantedWords(condition),
    holds ? foundWords(found, true) : colors.red(foundWords(found, reason !== "missing")),
  ];
}
