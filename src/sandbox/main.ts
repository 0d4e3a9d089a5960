/**
 * The entry of an instance process. It says `ready` before anything else, since a cold start waits for it; what only a
 * call needs is prepared after that.
 */
import { FRAME, type Frame } from "../protocol/frame.ts";
import { SPOKEN_VERSIONS } from "../protocol/versions.ts";
import { BundleModules } from "./bundle-modules.ts";
import { Calls, type LoadedFunction } from "./calls.ts";
import { Connection } from "./connection.ts";
import { captureConsole } from "./console-capture.ts";
import { toFunctionError } from "./function-error.ts";
import { LoadReporter } from "./load-report.ts";
import { compileFiles, describeApp, loadFunction, prepareEntries } from "./loader.ts";
import { Outside, watchSockets } from "./outside.ts";
import { guardProcess } from "./process-guard.ts";
import { rehearse } from "./rehearsal.ts";
import { installStackTraces } from "./stack-trace.ts";
import { installWebGlobals } from "./web-globals.ts";

/** A cold start hands over its function sooner than that, and must not wait for a rehearsal. */
const REHEARSE_AFTER_MS = 20;

let modules = new BundleModules();
/** What is compiled ahead comes to its end before anything is imported. */
let prepared: Promise<void> = Promise.resolve();
/** It plays with the environment: nobody's must not come after the app's. */
let rehearsed: Promise<void> = Promise.resolve();
let fn: LoadedFunction | null = null;
/** Frames of calls that came while the function was still loading. */
let held: Frame[] | null = null;
let loadError: ReturnType<typeof toFunctionError> | null = null;
let releaseDirectory: string | null = null;
let stopping = false;
/** Until the guard stands there is no user code, and a closed connection just ends this. */
let exit: (code: number) => void = (code) => process.exit(code);

const connection = new Connection(onFrame, () => exit(0));
connection.send(FRAME.ready, 0, { protocols: SPOKEN_VERSIONS, pid: process.pid, runtime: `node ${process.versions.node}` }, null);
connection.flush();

const outside = new Outside();
const calls = new Calls(connection, outside, () => {
  if (stopping) leave();
});
const loadReporter = new LoadReporter(
  (report) => connection.send(FRAME.loadReport, 0, report, null),
  () => calls.isBusy,
);
({ exit } = guardProcess(connection, calls));
captureConsole(() => calls.currentLog);
installStackTraces(() => releaseDirectory);
installWebGlobals();
const rehearsal = setTimeout(() => {
  // Without modules in steps there is nothing to rehearse with.
  rehearsed = rehearse().catch(() => {});
}, REHEARSE_AFTER_MS);

function onFrame(frame: Frame): void {
  if (held !== null && frame.call !== 0) {
    // The body is a view that the next frames overwrite.
    held.push({ ...frame, body: Buffer.from(frame.body) });
    return;
  }
  switch (frame.type) {
    case FRAME.speak:
      // There is one version so far: whatever was picked is it.
      return;
    case FRAME.load:
      clearTimeout(rehearsal);
      releaseDirectory = directoryOf(frame);
      void load(frame);
      return;
    case FRAME.manifest:
      clearTimeout(rehearsal);
      releaseDirectory = directoryOf(frame);
      void describe(frame);
      return;
    case FRAME.prepare:
      // For another release than before: what was compiled is not its code.
      modules = new BundleModules();
      prepared = prepareEntries(modules, frame.head);
      return;
    case FRAME.compile:
      clearTimeout(rehearsal);
      connection.send(FRAME.compiled, 0, { files: compileFiles(frame.head) }, null);
      return;
    case FRAME.event:
    case FRAME.http:
    case FRAME.run:
      start(frame);
      return;
    case FRAME.entries:
      calls.entries(frame);
      return;
    case FRAME.kept:
      calls.kept(frame);
      return;
    case FRAME.again:
      calls.again(frame);
      return;
    case FRAME.reply:
      calls.reply(frame);
      return;
    case FRAME.abort:
      calls.abort(frame);
      return;
    case FRAME.go:
      calls.go(frame);
      return;
    case FRAME.discard:
      calls.discard(frame);
      return;
    case FRAME.requestChunk:
      calls.requestChunk(frame);
      return;
    case FRAME.responseCredit:
      calls.responseCredit(frame);
      return;
    case FRAME.stop:
      stopping = true;
      if (!calls.isBusy) leave();
      return;
    default:
      // The frames of the other direction: a node does not send them.
      exit(1);
  }
}

function directoryOf({ head }: Frame): string | null {
  return typeof head["directory"] === "string" ? head["directory"] : null;
}

async function load(frame: Frame): Promise<void> {
  held = [];
  try {
    await rehearsed;
    await prepared;
    // Only flows go ahead of what they have committed.
    if (frame.head["flow"] === true) watchSockets(outside, () => calls.current?.number ?? null);
    fn = await loadFunction(modules, frame.head);
    connection.send(FRAME.loaded, 0, { modules: modules.counts }, null);
    // The held calls run in this same tick: one that blocks or ends the process must not be taken for a failed load.
    connection.flush();
  } catch (thrown) {
    loadError = toFunctionError(thrown);
    connection.send(FRAME.loaded, 0, { error: loadError }, null);
  }
  const waiting = held;
  held = null;
  waiting.forEach(onFrame);
}

async function describe(frame: Frame): Promise<void> {
  await rehearsed;
  connection.send(FRAME.described, 0, await describeApp(modules, frame.head), null);
}

function start(frame: Frame): void {
  if (fn === null) {
    calls.refuse(frame, loadError ?? { name: "Error", message: "the instance has no function yet", stack: null });
    return;
  }
  loadReporter.note();
  if (frame.type === FRAME.event) calls.startEvent(frame, fn);
  else if (frame.type === FRAME.run) calls.startRun(frame, fn);
  else calls.startHttp(frame, fn);
}

function leave(): void {
  connection.drain(() => exit(0));
}
