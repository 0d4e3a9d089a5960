import { describe } from "vitest";
import { commitRules } from "./contract/commit.ts";
import { dedupeRules } from "./contract/dedupe.ts";
import { type ContractOptions, Harness, type OpenStore } from "./contract/harness.ts";
import { kvRules } from "./contract/kv.ts";
import { laneRules } from "./contract/lanes.ts";
import { peopleRules } from "./contract/people.ts";
import { readyRules } from "./contract/ready.ts";
import { retentionRules } from "./contract/retention.ts";
import { runArrivalRules } from "./contract/run-arrivals.ts";
import { runFamilyRules } from "./contract/run-families.ts";
import { runRules } from "./contract/runs.ts";
import { settleRules } from "./contract/settle.ts";
import { timerRules } from "./contract/timers.ts";

export type { ContractOptions };

/**
 * Every rule of SPEC.md that holds for any store, S1 to S31, S37 and S39 to S55.
 *
 * @example
 * storeContract("SQLite", ({ place }) => openSqliteStore({ directory: join(root, place), durability: "off" }));
 */
export function storeContract(name: string, open: OpenStore): void {
  describe(`store contract: ${name}`, () => {
    const harness = new Harness(open);
    commitRules(harness);
    settleRules(harness);
    laneRules(harness);
    readyRules(harness);
    dedupeRules(harness);
    kvRules(harness);
    timerRules(harness);
    peopleRules(harness);
    retentionRules(harness);
    runRules(harness);
    runArrivalRules(harness);
    runFamilyRules(harness);
  });
}
