import { createNode, type MillraceNode, type NodeOptions } from "../server/index.ts";
import { formatDuration } from "../core/duration.ts";
import type { Release } from "../protocol/manifest.ts";
import { type Io, line, note } from "./io.ts";
import { showTriggers } from "./show-function.ts";
import { table } from "./table.ts";

/**
 * A node for as long as nobody says Ctrl-C: the first ends it gracefully, the second at once. `during` runs once the doors
 * are open; what it throws ends the node and is the command's failure.
 */
export async function serve(
  options: NodeOptions,
  io: Io,
  during: (node: MillraceNode, interrupted: Promise<void>) => Promise<void>,
): Promise<void> {
  const { promise: interrupted, resolve: interrupt } = Promise.withResolvers<void>();
  let times = 0;
  const release = io.onInterrupt(() => {
    times++;
    if (times > 1) io.exit(130);
    else {
      note(io, io.errColors.dim("stopping; Ctrl-C again ends at once"));
      interrupt();
    }
  });
  try {
    const node = await createNode(options);
    try {
      await node.start();
      await during(node, interrupted);
    } finally {
      await node.stop();
    }
  } finally {
    release();
  }
}

/** Where the node is, what it serves, and how long it took. */
export function showServing(node: MillraceNode, release: Release | null, tookMs: number, io: Io): void {
  const colors = io.outColors;
  const { gateway, control } = node.addresses;
  const rows = [
    ["  gateway", colors.cyan(gateway)],
    ["  control", colors.cyan(control)],
    ["  data", node.dataDirectory],
  ];
  line(io, table({ rows, columns: null }));
  if (release !== null) showFunctions(release, io);
  line(io, `${release === null ? colors.yellow("waiting for an app that loads") : colors.green("ready")} in ${formatDuration(tookMs)}`);
}

export function showFunctions(release: Release, io: Io): void {
  const colors = io.outColors;
  const rows = release.manifest.functions.map(({ name, triggers }) => [`  ${colors.bold(name)}`, showTriggers(triggers)]);
  if (rows.length > 0) line(io, table({ rows, columns: io.columns }));
}
