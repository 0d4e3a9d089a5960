import type { ControlClient, JournalEntry, Run, RunProgress } from "../control/client/index.ts";
import { formatDuration } from "../core/duration.ts";
import { type Io, note } from "./io.ts";
import { ProgressBars } from "./progress-bars.ts";
import { printable } from "./show-condition.ts";
import { runStateWord } from "./show-run.ts";
import { showStandstill } from "./show-standstill.ts";
import { itemMark, resultWords } from "./show-timeline.ts";
import { timelineOf } from "./timeline/timeline.ts";
import { nameOf } from "./timeline/words.ts";
import { clockTime } from "./times.ts";

export interface FollowWish {
  /** Where words go. */
  readonly say: (text: string) => void;
  /** Every line as the node tells it, instead of words. */
  readonly each?: (progress: RunProgress) => void;
  readonly signal: AbortSignal;
}

/** Tells what a run does until it ends; resolves to the run as it was last seen, or null if it was not. */
export async function followRun(client: ControlClient, id: string, { say, each, signal }: FollowWish, io: Io): Promise<Run | null> {
  const voice = new RunVoice(say, io);
  const tell = each ?? ((progress: RunProgress) => voice.tell(progress));
  let last: Run | null = null;
  try {
    for await (const progress of client.watchRun(id, signal)) {
      last = progress.run;
      tell(progress);
    }
  } finally {
    voice.end();
  }
  return last;
}

type MapCount = RunProgress["maps"][number];

class RunVoice {
  private readonly say: (text: string) => void;
  private readonly io: Io;
  private readonly bars: ProgressBars;
  /** A step of such a name is an item of a map: a thousand lines would tell less than its bar. */
  private readonly mapNames = new Set<string>();
  private readonly tenths = new Map<string, number>();
  private state: Run["state"] | null = null;

  constructor(say: (text: string) => void, io: Io) {
    this.say = say;
    this.io = io;
    this.bars = new ProgressBars(io);
  }

  tell({ run, entries, maps }: RunProgress): void {
    this.bars.above(() => {
      for (const entry of entries) this.tellEntry(entry);
      for (const map of maps) this.tellMap(map);
      this.tellState(run);
    });
    this.bars.show(
      maps
        .filter(isUnderWay)
        .map(({ name, number, total, done, failed }) => ({ label: labelOf(name, number), done: done + failed, total })),
    );
  }

  end(): void {
    this.bars.end();
  }

  private tellEntry(entry: JournalEntry): void {
    if (entry.verb === "map") this.mapNames.add(entry.name);
    if (entry.verb === "step" && this.mapNames.has(entry.name) && entry.phase !== "attempt") return;
    const [item] = timelineOf([entry]);
    if (item === undefined || entry.verb === "map") return;
    const colors = this.io.outColors;
    const attempt = entry.attempt > 1 ? colors.dim(` attempt ${entry.attempt}`) : "";
    const ran = entry.ranMs > 0 ? colors.dim(` ${formatDuration(entry.ranMs)}`) : "";
    // As it was said at that time: a wait of then is no news of now.
    const words = resultWords(item, entry.atMs, colors);
    this.say(
      `${colors.dim(clockTime(entry.atMs))} ${itemMark(item, colors)} ${nameOf(item)}${attempt}${ran}${words === "" ? "" : `  ${words}`}`,
    );
  }

  /** On a terminal the bar tells it; else a line for each tenth. */
  private tellMap(map: MapCount): void {
    const { name, number, total, done, failed } = map;
    const key = labelOf(name, number);
    const tenth = total === 0 ? 10 : Math.floor((10 * (done + failed)) / total);
    const before = this.tenths.get(key);
    if (before === tenth) return;
    this.tenths.set(key, tenth);
    if (this.io.errIsTerminal && isUnderWay(map)) return;
    this.say(`${key}  ${done} of ${total} done${failed === 0 ? "" : this.io.outColors.red(`, ${failed} failed`)}`);
  }

  private tellState(run: Run): void {
    if (run.state === this.state) return;
    const isFirst = this.state === null;
    this.state = run.state;
    if (run.note !== null) for (const line of showStandstill(run, [], this.io)) note(this.io, line);
    else if (run.endedMs !== null || (!isFirst && run.state === "rolling-back"))
      this.say(`${run.fn} ${run.id} ${runStateWord(run.state, this.io.outColors)}`);
  }
}

function isUnderWay({ total, done, failed }: MapCount): boolean {
  return done + failed < total;
}

function labelOf(name: string, number: number): string {
  return `map ${printable(name)}${number === 1 ? "" : ` #${number}`}`;
}
