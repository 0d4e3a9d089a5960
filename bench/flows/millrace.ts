import { readFileSync } from "node:fs";
import { join } from "node:path";
import { NodeProcess } from "../../test/process/node-process.ts";
import { checkResult, type Contender, type Steps } from "./contender.ts";
import { KeepAlive } from "./keep-alive.ts";

const APP = join(import.meta.dirname, "app");
const PACKAGE = join(import.meta.dirname, "../../package.json");

/** A real node; the runs are begun by HTTP, and the answer is their result. */
export class Millrace implements Contender {
  readonly name: string;
  readonly durability: string;
  private readonly door: string;
  private node: NodeProcess | null = null;
  private gateway: KeepAlive | null = null;

  /** `seen`: by processes that have reached out, whose steps go ahead of no commit. */
  constructor(kind: "unseen" | "seen") {
    const isSeen = kind === "seen";
    this.name = isSeen ? "millrace, seen" : "millrace";
    this.door = isSeen ? "seen" : "run";
    this.durability = `SQLite, WAL, synchronous=FULL; ${isSeen ? "each step synced before the next one begins" : "steps that nobody outside can see are synced together"}`;
  }

  get version(): string {
    return (JSON.parse(readFileSync(PACKAGE, "utf8")) as { version: string }).version;
  }

  async start(): Promise<void> {
    this.node = await NodeProcess.start(APP);
    this.gateway = new KeepAlive(this.node.port);
    await this.run(1);
  }

  async run(steps: Steps): Promise<void> {
    checkResult((await this.gateway?.post(`/${this.door}/${steps}`, "{}")) ?? "", steps);
  }

  pids(): number[] {
    return this.node === null ? [] : [this.node.pid];
  }

  async stop(): Promise<void> {
    this.gateway?.close();
    await this.node?.stop();
  }
}
