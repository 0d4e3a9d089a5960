/** What is wrong with a filter, and where: `[0].any[1].exact.type: …`. */
export class FilterError extends Error {
  override readonly name = "FilterError";
  readonly code = "bad_filter";
  /** Keys joined by dots, elements of arrays by index; empty for the whole. */
  readonly path: string;
  readonly fault: string;

  constructor(path: string, fault: string) {
    super(path === "" ? fault : `${path}: ${fault}`);
    this.path = path;
    this.fault = fault;
  }
}
