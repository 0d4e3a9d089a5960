import { event, fn } from "millrace";
import { notice } from "../notice.ts";

interface PullRequestChange {
  readonly action: string;
  readonly pull_request: { readonly number: number; readonly title: string; readonly user: { readonly login: string } };
  readonly repository: { readonly full_name: string };
}

const newCode = event<PullRequestChange>("github.pull_request.*", {
  where: { data: { action: ["opened", "synchronize", "reopened"] } },
});

/** Pull requests that bring new code to look at. */
export const pullRequests = fn({ on: newCode, concurrency: { function: 1 } }, async (e, ctx) => {
  const { action, pull_request: pull, repository } = e.data;
  await notice(ctx, "pullRequests", e, `${repository.full_name}#${pull.number} ${action} by ${pull.user.login}: ${pull.title}`);
});
