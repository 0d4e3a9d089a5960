import { event, fn } from "millrace";
import { notice } from "../notice.ts";

interface Release {
  readonly release: { readonly tag_name: string; readonly name: string | null; readonly html_url: string };
  readonly repository: { readonly full_name: string };
}

const published = event<Release>("github.release.published", {
  where: { data: { release: { draft: [false], prerelease: [false] } } },
});

/** Releases meant for everybody. */
export const releases = fn({ on: published, concurrency: { function: 1 } }, async (e, ctx) => {
  const { release, repository } = e.data;
  await notice(ctx, "releases", e, `${repository.full_name} released ${release.name ?? release.tag_name}: ${release.html_url}`);
});
