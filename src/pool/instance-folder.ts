import { bundleDirectory, placeBundle, removeBundle, tmpDirectory } from "./instance-directory.ts";
import type { InstanceClass, InstanceProcess } from "./spawn.ts";

/** One instance's folder: which release lies in it, and what it and its paths are called from outside. */
export class InstanceFolder {
  readonly path: string;
  /** The release whose code lies here, and may have been compiled. */
  placed: string | null = null;
  private readonly instanceClass: InstanceClass;
  private readonly process: InstanceProcess;

  constructor(path: string, instanceClass: InstanceClass, process: InstanceProcess) {
    this.path = path;
    this.instanceClass = instanceClass;
    this.process = process;
  }

  /** Its tmp as the node sees it: a jailed one's lies in a tree of its own, for as long as it lives. What is in there is not to be trusted. */
  get tmp(): string {
    return this.process.jailed === true ? `/proc/${this.process.pid}/root${this.ownTmp}` : this.ownTmp;
  }

  /** As the instance sees it. */
  get ownTmp(): string {
    return tmpDirectory(this.path);
  }

  /** Null where the jail sees to its size. */
  get watchedTmp(): string | null {
    return this.process.jailed === true ? null : this.ownTmp;
  }

  /** Lays a release's code out, unless it lies here. Throws when it cannot be read. */
  place(bundle: string): string {
    if (this.placed !== bundle) {
      placeBundle(bundle, this.path, this.couldWriteBundle());
      this.placed = bundle;
    }
    return bundleDirectory(this.path);
  }

  /** Nothing of it may have been run. */
  clear(): void {
    removeBundle(this.path);
    this.placed = null;
  }

  /** Texts from inside name the folder's copy: people know the release's. */
  readonly rename = (text: string): string => {
    const own = bundleDirectory(this.path);
    return this.placed === null || !text.includes(own) ? text : text.replaceAll(own, this.placed);
  };

  private couldWriteBundle(): boolean {
    const { allow } = this.instanceClass;
    return this.process.jailed !== true && (allow.includes("child_process") || allow.includes("addons"));
  }
}
