import { formatDuration } from "../core/duration.ts";
import { MillraceError, toError } from "../core/errors.ts";
import type { Release } from "../protocol/manifest.ts";
import type { MillraceNode } from "../server/index.ts";
import type { LogLine } from "../store/store.ts";
import { type Io, jsonLine, line, note } from "./io.ts";
import { showError } from "./report-error.ts";
import { showFunctions, showServing } from "./serving.ts";
import { showLogLine } from "./show-log.ts";

/** What `dev` has to say, apart from how: to a person, or as one JSON document a line. */
export interface DevVoice {
  logged(logLine: LogLine): void;
  serving(node: MillraceNode, tookMs: number): void;
  reloaded(after: Release, before: Release | null, changed: readonly string[], tookMs: number): void;
  /** The app does not load; `live` goes on serving. */
  failed(error: unknown, live: Release | null): void;
}

export function spokenTo(io: Io): DevVoice {
  return {
    logged: (logLine) => line(io, showLogLine(logLine, io.outColors)),
    serving: (node, tookMs) => showServing(node, node.liveRelease, tookMs, io),
    reloaded: (after, before, changed, tookMs) => {
      line(io, `${io.outColors.green("reloaded")} in ${formatDuration(tookMs)} ${io.outColors.dim(changed.join(", "))}`);
      if (triggersOf(after) !== triggersOf(before)) showFunctions(after, io);
    },
    failed: (error, live) => {
      showError(error, false, io);
      if (live !== null) note(io, io.errColors.dim("the last good version goes on serving"));
    },
  };
}

export function asJson(io: Io): DevVoice {
  return {
    logged: (logLine) => jsonLine(io, { event: "log", ...logLine }),
    serving: (node, tookMs) => {
      const release = node.liveRelease;
      jsonLine(io, {
        event: "serving",
        ...node.addresses,
        data: node.dataDirectory,
        release: release?.id ?? null,
        functions: namesOf(release),
        tookMs,
      });
    },
    reloaded: (after, _before, changed, tookMs) =>
      jsonLine(io, { event: "reloaded", release: after.id, functions: namesOf(after), changed, tookMs }),
    failed: (thrown, live) => {
      const error = thrown instanceof MillraceError ? thrown.toBody().error : { code: "internal", message: toError(thrown).message };
      jsonLine(io, { event: "failed", error, release: live?.id ?? null });
    },
  };
}

function namesOf(release: Release | null): readonly string[] {
  return release?.manifest.functions.map(({ name }) => name) ?? [];
}

function triggersOf(release: Release | null): string {
  return JSON.stringify(release?.manifest.functions.map(({ name, triggers }) => [name, triggers]));
}
