/** What is wrong with a pattern, and where: `data.total[0].numeric: …`. */
export class PatternError extends Error {
  override readonly name = "PatternError";
  readonly code = "bad_pattern";
  /** Keys joined by dots, alternatives by index, then the operator; empty for the pattern as a whole. */
  readonly path: string;
  readonly fault: string;

  constructor(path: string, fault: string) {
    super(path === "" ? fault : `${path}: ${fault}`);
    this.path = path;
    this.fault = fault;
  }
}
