import { event, fn } from "millrace";
import { notice } from "../notice.ts";

/** A list and not `anything-but: success`: a check that is still running has the conclusion null, which is anything but success too. */
const failing = ["failure", "timed_out", "action_required", "startup_failure"];

interface Check {
  readonly conclusion: string;
  readonly name?: string;
  readonly head_sha: string;
}

interface Status {
  readonly state: string;
  readonly context: string;
  readonly sha: string;
}

type Checked = { readonly repository: { readonly full_name: string } } & (
  | { readonly check_run: Check }
  | { readonly check_suite: Check }
  | { readonly workflow_run: Check }
  | Status
);

/** GitHub has four ways to say that a check went wrong. */
const checks = [
  event<Checked>("github.check_run.*", { where: { data: { check_run: { conclusion: failing } } } }),
  event<Checked>("github.check_suite.*", { where: { data: { check_suite: { conclusion: failing } } } }),
  event<Checked>("github.workflow_run.*", { where: { data: { workflow_run: { conclusion: failing } } } }),
  event<Checked>("github.status", { where: { data: { state: [{ "anything-but": ["success", "pending"] }] } } }),
];

export const failingChecks = fn({ on: checks, concurrency: { function: 1 } }, async (e, ctx) => {
  await notice(ctx, "failingChecks", e, `${e.data.repository.full_name}: ${describe(e.data)}`);
});

function describe(checked: Checked): string {
  if ("check_run" in checked) return words("check", checked.check_run);
  if ("check_suite" in checked) return words("check suite", checked.check_suite);
  if ("workflow_run" in checked) return words("workflow", checked.workflow_run);
  return `${checked.context} is ${checked.state} at ${checked.sha.slice(0, 7)}`;
}

function words(what: string, { name, conclusion, head_sha }: Check): string {
  return `${what}${name === undefined ? "" : ` "${name}"`} ended with ${conclusion} at ${head_sha.slice(0, 7)}`;
}
