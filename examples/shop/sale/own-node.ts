import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const CLI = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
const SHOP = fileURLToPath(new URL("..", import.meta.url));
const READY_WITHIN_MS = 60_000;

/** A node of its own for one sale, with a data directory that goes away with it. */
export async function startOwnNode(): Promise<{ readonly url: string } & AsyncDisposable> {
  const data = await mkdtemp(join(tmpdir(), "flash-sale-"));
  const [port, controlPort] = await freePorts();
  const doors = ["--port", String(port), "--control-port", String(controlPort)];
  const flags = ["--disable-warning=ExperimentalWarning", "--conditions=millrace/source"];
  const child = spawn(process.execPath, [...flags, CLI, "start", SHOP, "--data", data, ...doors], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const exited = once(child, "exit");
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) child.kill("SIGTERM");
    await exited;
    await rm(data, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await Promise.race([answers(`http://127.0.0.1:${controlPort}/readyz`), exited.then(() => Promise.reject(new Error("the node ended")))]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, [Symbol.asyncDispose]: stop };
}

async function answers(url: string): Promise<void> {
  const until = Date.now() + READY_WITHIN_MS;
  while (Date.now() < until) {
    const ready = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await sleep(50);
  }
  throw new Error(`the node was not ready within ${READY_WITHIN_MS / 1_000} s`);
}

/** Two at once, so that they differ. */
async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()] as const;
  const ports = await Promise.all(
    servers.map(async (server) => {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      return typeof address === "object" && address !== null ? address.port : 0;
    }),
  );
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return [ports[0] ?? 0, ports[1] ?? 0];
}
