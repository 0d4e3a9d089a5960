/** Why an expression was refused: it is no expression, or it calls a function that does not exist. */
export type SqlErrorKind = "parse" | "missing_function";

/** What is wrong with an expression, and where: `sql: at character 12: …`. */
export class SqlError extends Error {
  override readonly name = "SqlError";
  readonly code = "bad_sql";
  readonly kind: SqlErrorKind;
  /** How many characters stand before the place. */
  readonly position: number;
  readonly fault: string;

  constructor(position: number, fault: string, kind: SqlErrorKind = "parse") {
    super(`sql: at character ${position}: ${fault}`);
    this.kind = kind;
    this.position = position;
    this.fault = fault;
  }
}
