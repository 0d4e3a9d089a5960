import type { JournalEntry } from "../store/store.ts";
import type { RunProgress } from "./runs.ts";

/** Of each map how far it is: its items are the steps of its name that follow it. */
export class MapProgress {
  private readonly maps: { name: string; number: number; total: number; done: number; failed: number }[] = [];

  read(entries: readonly JournalEntry[]): void {
    for (const { verb, phase, name, number, value } of entries) {
      if (verb === "map" && phase === "opened") {
        const { total } = JSON.parse(value ?? "{}") as { total: number };
        this.maps.push({ name, number, total, done: 0, failed: 0 });
      } else if (verb === "step" && (phase === "done" || phase === "failed")) {
        const map = this.maps.find((map) => map.name === name && map.done + map.failed < map.total);
        if (map !== undefined) map[phase]++;
      }
    }
  }

  view(): RunProgress["maps"] {
    return this.maps.map((map) => ({ ...map }));
  }
}
