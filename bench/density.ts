import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NodeProcess, pause } from "../test/process/node-process.ts";
import { childrenOf } from "./http/cpu-time.ts";
import { type BenchOptions, median, print, round } from "./report.ts";

const FUNCTIONS = 1000;
const WARM = 200;
const MIB = 2 ** 20;

/**
 * A thousand functions that nobody calls: what they cost. Then two hundred of them with an instance that has answered one call: what each
 * takes of the machine (Pss: shared pages by halves). The functions are small; what a function itself allocates comes on top.
 */
export async function density(options: BenchOptions): Promise<void> {
  const app = generateApp(FUNCTIONS);
  const startMs = performance.now();
  const node = await NodeProcess.start(app);
  try {
    const readyMs = performance.now() - startMs;
    await pause((options.seconds ?? 5) * 1000);
    print({
      measure: `${FUNCTIONS} functions deployed and idle`,
      readyMs: Math.round(readyMs),
      instances: await node.metric("millrace_instances"),
      nodeRssMiB: Math.round(node.rssBytes() / MIB),
      nodePssMiB: Math.round(pssBytes(node.pid) / MIB),
    });
    const spares = new Set(node.instancePids());
    for (let i = 0; i < WARM; i++) await get(`${node.gateway}/generated/${i}`);
    await pause(2000);
    const warm = node.instancePids();
    const ownMiB = warm.map((pid) => pssOfTree(pid) / MIB);
    print({
      measure: `${WARM} functions with one warm instance each`,
      instances: await node.metric("millrace_instances"),
      processes: warm.length,
      ofThoseSparesBefore: spares.size,
      pssMedianMiB: round(median(ownMiB)),
      pssMostMiB: round(Math.max(...ownMiB)),
      pssAllMiB: Math.round(ownMiB.reduce((sum, each) => sum + each, 0)),
      nodeRssMiB: Math.round(node.rssBytes() / MIB),
    });
  } finally {
    await node.stop();
    rmSync(app, { recursive: true, force: true });
  }
}

function generateApp(functions: number): string {
  const app = mkdtempSync(join(tmpdir(), "millrace-density-"));
  mkdirSync(join(app, "functions"));
  for (let i = 0; i < functions; i++) {
    const on =
      i % 2 === 0
        ? `http.get("/generated/${i}")`
        : `[http.get("/generated/${i}"), event("generated.${i}", { where: { data: { n: [${i}] } } })]`;
    writeFileSync(
      join(app, "functions", `generated-${i}.ts`),
      `import { event, fn, http } from "millrace";\n\nvoid event;\nexport const generated${i} = fn({ on: ${on}, memory: "64mb", instances: { idle: "10m" } }, () => "answer ${i}");\n`,
    );
  }
  return app;
}

async function get(url: string): Promise<void> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
}

/** With all below it: in a jail an instance is Node and the two processes of bubblewrap around it. */
function pssOfTree(pid: number): number {
  return childrenOf(pid).reduce((sum, child) => sum + pssOfTree(child), pssBytes(pid));
}

function pssBytes(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0) * 1024;
}
