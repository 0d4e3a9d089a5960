import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file system of its own that is small enough to be filled: a tmpfs. Mounting wants root. */
export class SmallDisk {
  readonly path: string;
  private readonly ballast: string;

  private constructor(path: string) {
    this.path = path;
    this.ballast = join(path, "ballast");
  }

  /** null when this user may not mount. */
  static mount(sizeMiB: number): SmallDisk | null {
    const path = mkdtempSync(join(tmpdir(), "millrace-disk-"));
    const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${sizeMiB}m`, "tmpfs", path]);
    if (status === 0) return new SmallDisk(path);
    rmSync(path, { recursive: true });
    return null;
  }

  /** Takes all space that is left, to the last byte. */
  fill(): void {
    const file = openSync(this.ballast, "a");
    try {
      for (let sizeBytes = 1 << 20; sizeBytes > 0;) if (!fits(file, sizeBytes)) sizeBytes >>= 1;
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(this.ballast, { force: true });
  }

  unmount(): void {
    spawnSync("umount", ["--lazy", this.path]);
    rmSync(this.path, { recursive: true, force: true });
  }
}

function fits(file: number, sizeBytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(sizeBytes)) === sizeBytes;
  } catch {
    return false;
  }
}
