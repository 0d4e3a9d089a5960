import { MillraceError } from "../../core/errors.ts";
import type { Member, MemberResult, Store } from "../../store/store.ts";

/** A real store that fails when it is told to, and lets a test act between a call and its commit. */
export class FaultyStore implements Store {
  readonly commits: Member[] = [];
  /** Rejects what writes, or what reads, as a full disk or a broken one would. */
  failing: "nothing" | "commits" | "reads" = "nothing";
  /** Refuses such members alone, for what they hold. */
  refuses: (member: Member) => boolean = () => false;
  /** Runs before a commit goes to the store. */
  before: (member: Member) => Promise<void> | void = () => {};
  failedCommits = 0;
  private readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  async commit(member: Member): Promise<MemberResult> {
    await this.before(member);
    this.commits.push(member);
    if (this.failing === "commits") {
      this.failedCommits++;
      throw new MillraceError("disk_full", "no space left");
    }
    if (this.refuses(member)) throw new MillraceError("internal", "string or blob too big");
    return this.store.commit(member);
  }

  acquire: Store["acquire"] = (...ask) => this.store.acquire(...ask);
  ready: Store["ready"] = (...ask) => this.read(() => this.store.ready(...ask));
  dueTimers: Store["dueTimers"] = (...ask) => this.read(() => this.store.dueTimers(...ask));
  timers: Store["timers"] = (...ask) => this.store.timers(...ask);
  kvGet: Store["kvGet"] = (...ask) => this.read(() => this.store.kvGet(...ask));
  kvList: Store["kvList"] = (...ask) => this.read(() => this.store.kvList(...ask));
  answer: Store["answer"] = (...ask) => this.read(() => this.store.answer(...ask));
  counts: Store["counts"] = () => this.store.counts();
  events: Store["events"] = (...ask) => this.store.events(...ask);
  dead: Store["dead"] = (...ask) => this.store.dead(...ask);
  delivery: Store["delivery"] = (...ask) => this.store.delivery(...ask);
  ownedRun: Store["ownedRun"] = (...ask) => this.read(() => this.store.ownedRun(...ask));
  journal: Store["journal"] = (...ask) => this.read(() => this.store.journal(...ask));
  eventsOfType: Store["eventsOfType"] = (...ask) => this.read(() => this.store.eventsOfType(...ask));
  run: Store["run"] = (...ask) => this.read(() => this.store.run(...ask));
  runs: Store["runs"] = (...ask) => this.read(() => this.store.runs(...ask));
  runReleases: Store["runReleases"] = (except) => this.read(() => this.store.runReleases(except));
  waitTopics: Store["waitTopics"] = () => this.read(() => this.store.waitTopics());
  redrive: Store["redrive"] = (...ask) => this.store.redrive(...ask);
  purge: Store["purge"] = (...ask) => this.store.purge(...ask);
  log: Store["log"] = (...ask) => this.store.log(...ask);
  logs: Store["logs"] = (...ask) => this.store.logs(...ask);
  retain: Store["retain"] = (...ask) => this.store.retain(...ask);
  health: Store["health"] = () => this.store.health();
  close: Store["close"] = () => this.store.close();

  private async read<T>(ask: () => Promise<T>): Promise<T> {
    if (this.failing === "reads") throw new MillraceError("data_unwritable", "the disk does not answer");
    return ask();
  }
}
