import { event, fn } from "millrace";
import { notice } from "../notice.ts";

interface Push {
  readonly ref: string;
  readonly commits: readonly unknown[];
  readonly pusher: { readonly name: string };
  readonly repository: { readonly full_name: string };
}

const toProtectedBranch = event<Push>("github.push", {
  where: {
    data: {
      ref: ["refs/heads/main", "refs/heads/master", { wildcard: "refs/heads/release/*" }],
      deleted: [false],
    },
  },
});

/** Pushes to branches that matter. */
export const protectedPushes = fn({ on: toProtectedBranch, concurrency: { function: 1 } }, async (e, ctx) => {
  const { ref, commits, pusher, repository } = e.data;
  const branch = ref.replace("refs/heads/", "");
  await notice(ctx, "protectedPushes", e, `${pusher.name} pushed ${commits.length} commit(s) to ${branch} of ${repository.full_name}`);
});
