/** V8's flags are not Node's: one that a later V8 has dropped would keep a process from starting. Tried with Node 24 to 26. */
const LAST_TRIED_NODE = 26;

/**
 * V8 makes objects old at once where many of their kind have outlived a collection, as they do in a process with many calls in flight while
 * its nursery is still small. From then on each of them holds on to the call it belongs to until the next full collection, long after the
 * call's end. ARCHITECTURE.md has what it is worth to do without.
 */
export function collectorFlags(nodeMajor = Number(process.versions.node.split(".")[0])): string[] {
  return nodeMajor <= LAST_TRIED_NODE ? ["--no-allocation-site-pretenuring"] : [];
}
