import { MillraceError } from "../core/errors.ts";
import { explainSql, SqlError } from "../events/sql/index.ts";
import type { SqlTest, TestedEvent } from "./shapes.ts";

/** Tests an event against one expression. What is none is `bad_sql`, with the position in it and the fault. */
export function testSql(sql: string, event: object, logged: TestedEvent | null): SqlTest {
  try {
    return { kind: "sql", event: logged, ...explainSql(sql, event) };
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    const { position, fault } = error;
    throw new MillraceError("bad_sql", `the expression is wrong: ${error.message}`, { cause: error, details: { position, fault } });
  }
}
