import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../test/process/node-process.ts";
import { rival, RIVALS, rivalVersion } from "../rivals.ts";
import { Child } from "./child.ts";
import { checkResult, type Contender, type Steps } from "./contender.ts";
import { KeepAlive } from "./keep-alive.ts";

const PACKAGE = "openworkflow";
/** Its worker takes as many runs as it has slots for in one go. */
const SLOTS = 64;

/**
 * Worker and client in one process, behind a bare HTTP server. Not in two: its connections do not wait for a lock (`busy_timeout` 0), so
 * two that write at once fail with "database is locked", in the middle of runs too. `/result/N` waits as its client API does, which asks the
 * database each second; `/told/N` is answered when the worker has written the end of the run.
 */
const SERVICE = `
  import { createServer } from "node:http";
  import { OpenWorkflow } from "openworkflow";
  import { BackendSqlite } from "openworkflow/sqlite";
  const [port, file, slots] = process.argv.slice(1);
  const backend = BackendSqlite.connect(file);
  backend.db.exec("PRAGMA synchronous = FULL");
  const ended = new Map();
  const complete = backend.completeWorkflowRun.bind(backend);
  backend.completeWorkflowRun = async (end) => {
    const run = await complete(end);
    ended.get(run.id)?.(run.output);
    ended.delete(run.id);
    return run;
  };
  const ow = new OpenWorkflow({ backend });
  const chain = ow.defineWorkflow({ name: "chain" }, async ({ input, step }) => {
    let done = 0;
    for (let i = 0; i < input.steps; i++) {
      const { ok } = await step.run({ name: "step-" + i }, async () => ({ ok: true }));
      if (ok) done++;
    }
    return { done };
  });
  await ow.newWorker({ concurrency: Number(slots) }).start();
  const waits = {
    result: (handle) => handle.result(),
    told: async (handle) => {
      const { id } = handle.workflowRun;
      const told = new Promise((resolve) => ended.set(id, resolve));
      const { status, output } = await backend.getWorkflowRun({ workflowRunId: id });
      return status === "completed" ? output : told;
    },
  };
  const server = createServer(async (request, response) => {
    const [, wait, steps] = request.url.split("/");
    const handle = await chain.run({ steps: Number(steps) });
    const body = JSON.stringify(await waits[wait](handle));
    response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
    response.end(body);
  });
  // Its syncs keep the thread for seconds on end: to a timer that is late every connection looks idle.
  server.keepAliveTimeout = 0;
  server.listen(Number(port), "127.0.0.1");
`;

/** OpenWorkflow on a SQLite file. */
export class OpenWorkflow implements Contender {
  readonly name: string;
  readonly durability = "SQLite, WAL, synchronous=FULL; a step is two transactions, each synced alone";
  private readonly wait: "result" | "told";
  private folder = "";
  private child: Child | null = null;
  private door: KeepAlive | null = null;

  /** `told`: not as its users have it, but what is left when nobody has to ask whether a run has ended. */
  constructor(wait: "result" | "told") {
    this.wait = wait;
    this.name = wait === "result" ? "openworkflow" : "openworkflow, told";
  }

  get version(): string {
    return rivalVersion(PACKAGE) ?? "unknown";
  }

  async start(): Promise<void> {
    if (rival(PACKAGE) === null) throw new Error(`${PACKAGE} is not installed`);
    this.folder = mkdtempSync(join(tmpdir(), "millrace-bench-openworkflow-"));
    const port = await freePort();
    const args = [String(port), join(this.folder, "runs.db"), String(SLOTS)];
    this.child = new Child([process.execPath, "--input-type=module", "-e", SERVICE, ...args], { cwd: RIVALS });
    this.door = new KeepAlive(port);
    await this.child.until(() => this.run(1));
  }

  async run(steps: Steps): Promise<void> {
    checkResult((await this.door?.post(`/${this.wait}/${steps}`, "")) ?? "", steps);
  }

  pids(): number[] {
    return this.child === null ? [] : [this.child.pid];
  }

  async stop(): Promise<void> {
    this.door?.close();
    await this.child?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
