import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { FRAME, type Frame, FrameReader, type FrameType, FrameWriter } from "../../protocol/frame.ts";
import { bundleRuntime } from "../bundle-runtime.ts";

/** The node's side of the frames, over a real instance process. */
export class Instance {
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly frames: Frame[] = [];
  stderr = "";
  private readonly child: ChildProcess;
  private readonly socket: Duplex;
  private readonly writer: FrameWriter;
  private readonly watchers = new Set<() => void>();

  constructor(runtime: string, flags: readonly string[] = []) {
    this.child = spawn(process.execPath, [...flags, runtime], {
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      env: { SECRET_OF_THE_NODE: "1" },
    });
    this.child.stderr?.on("data", (text: Buffer) => (this.stderr += text.toString()));
    this.exited = new Promise((resolve) => this.child.once("close", (code, signal) => resolve({ code, signal })));
    this.socket = this.child.stdio[3] as Duplex;
    this.writer = new FrameWriter((bytes) => this.socket.write(bytes));
    const reader = new FrameReader((frame) => {
      this.frames.push({ ...frame, body: Buffer.from(frame.body) });
      for (const watch of this.watchers) watch();
    });
    this.socket.on("data", (bytes: Buffer) => reader.push(bytes));
    this.socket.on("error", () => {});
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  send(type: FrameType, call: number, head: object | null, body: Uint8Array | string | null = null, flags = 0): void {
    this.writer.send(type, call, head, body, flags);
  }

  /** Breaks the connection, as a node that died does. */
  disconnect(): void {
    this.socket.destroy();
  }

  /** The first frame that fits, already here or still to come; rejects when the instance ends without it. */
  frame(type: FrameType, call = 0, fits: (frame: Frame) => boolean = () => true): Promise<Frame> {
    return this.until(
      () => this.frames.find((frame) => frame.type === type && frame.call === call && fits(frame)),
      `a frame of type ${type} for call ${call}`,
    );
  }

  async until<T>(look: () => T | undefined, what: string): Promise<T> {
    const found = look();
    if (found !== undefined) return found;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const watch = (): void => {
      const now = look();
      if (now !== undefined) resolve(now);
    };
    this.watchers.add(watch);
    void this.exited.then(({ code, signal }) => reject(new Error(`the instance ended (${code ?? signal}) before ${what}: ${this.stderr}`)));
    return promise.finally(() => this.watchers.delete(watch));
  }

  /** `result` or `threw`, whichever ends the call. */
  end(call: number): Promise<Frame> {
    return this.until(
      () => this.frames.find((frame) => frame.call === call && (frame.type === FRAME.result || frame.type === FRAME.threw)),
      `the end of call ${call}`,
    );
  }

  event(call: number, event: object, head: object = {}): Promise<Frame> {
    const whole = { specversion: "1.0", id: `e${call}`, source: "/test", type: "test", ...event };
    this.send(FRAME.event, call, { id: `inv${call}`, attempt: 1, timeoutMs: 30_000, ...head }, JSON.stringify(whole));
    return this.end(call);
  }

  http(call: number, head: object = {}, body: string | Uint8Array | null = null): Promise<Frame> {
    this.send(FRAME.http, call, httpHead(call, head), body);
    return this.end(call);
  }

  logs(call: number): { level: unknown; text: string }[] {
    return this.frames
      .filter((frame) => frame.type === FRAME.log && frame.call === call)
      .map((frame) => ({ level: frame.head["level"], text: frame.body.toString() }));
  }

  kill(): void {
    this.child.kill("SIGKILL");
  }
}

export function httpHead(call: number, head: object): object {
  return {
    id: `inv${call}`,
    attempt: 1,
    timeoutMs: 30_000,
    method: "GET",
    url: "http://localhost:4800/",
    headers: [],
    params: {},
    ...head,
  };
}

/** A folder with the runtime in it, where apps are bundled and instances started; everything goes with `close`. */
export class Workshop {
  readonly folder: string;
  private readonly runtime: string;
  private readonly instances: Instance[] = [];
  private apps = 0;

  private constructor(folder: string) {
    this.folder = folder;
    this.runtime = join(folder, "runtime.cjs");
  }

  static async open(): Promise<Workshop> {
    const workshop = new Workshop(await mkdtemp(join(tmpdir(), "millrace-sandbox-")));
    await bundleRuntime(workshop.runtime);
    return workshop;
  }

  start(flags: readonly string[] = []): Instance {
    const instance = new Instance(this.runtime, flags);
    this.instances.push(instance);
    return instance;
  }

  /**
   * Writes the files as an app and bundles each one in `functions/`; returns the bundle's folder. Its maps are those of a
   * release made beside its sources (as `releases` makes it) or below them.
   */
  async bundle(files: Readonly<Record<string, string>>, place: "beside" | "below" = "beside"): Promise<string> {
    const app = join(this.folder, `app${++this.apps}`);
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(app, path)), { recursive: true });
      await writeFile(join(app, path), text);
    }
    await symlink(fileURLToPath(new URL("../../../node_modules", import.meta.url)), join(app, "node_modules"));
    const release = join(app, "release");
    const outdir = place === "beside" ? app : release;
    const { outputFiles } = await build({
      write: false,
      absWorkingDir: app,
      entryPoints: Object.keys(files).filter((path) => path.startsWith("functions/")),
      outbase: app,
      outdir,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      sourcemap: "linked",
      sourcesContent: false,
      logLevel: "silent",
      alias: { millrace: fileURLToPath(new URL("../../sdk/index.ts", import.meta.url)) },
    });
    for (const { path, contents } of outputFiles) {
      const target = join(release, relative(outdir, path));
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, contents);
    }
    return release;
  }

  /** An instance that runs the export `f` of this source. */
  async run(source: string, head: object = {}): Promise<Instance> {
    const directory = await this.bundle({ "functions/app.ts": source });
    const instance = this.start();
    await load(instance, { directory, ...head });
    return instance;
  }

  async close(): Promise<void> {
    for (const instance of this.instances) instance.kill();
    await Promise.all(this.instances.map((instance) => instance.exited));
    await rm(this.folder, { recursive: true, force: true });
  }
}

export async function load(instance: Instance, head: object): Promise<Frame> {
  instance.send(FRAME.load, 0, { fn: "f", exportName: "f", entry: "functions/app.mjs", env: {}, schemas: {}, ...head });
  return instance.frame(FRAME.loaded);
}
