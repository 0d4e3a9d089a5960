import { resolve } from "node:path";
import type { Release } from "../protocol/manifest.ts";
import { ReleaseFolder } from "./release-folder.ts";

export interface PresentApp {
  readonly appDirectory: string;
  /** The app's variables as they are now: a secret that was changed is changed for code of earlier releases, too. */
  readonly env: Readonly<Record<string, string>>;
}

/** An earlier release, from its folder; null where that is gone or not whole. */
export async function openRelease(dataDirectory: string, id: string, { appDirectory, env }: PresentApp): Promise<Release | null> {
  const found = await new ReleaseFolder(resolve(dataDirectory)).open(id);
  return found === null ? null : { id, ...found, appDirectory: resolve(appDirectory), env };
}
