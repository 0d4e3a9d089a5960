import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { Release } from "../../protocol/index.ts";
import { NODE_FILE, TOKEN_FILE } from "../../control/client/index.ts";
import { Control } from "../../control/index.ts";
import { ScriptedRooms } from "../../control/testing-support/scripted-rooms.ts";
import { COMMANDS } from "../commands/all.ts";
import { run } from "../run.ts";
import { ScriptedIo } from "./scripted-io.ts";

/** Commands beside a control API over scripted rooms; each test of the file has it anew. */
export class ControlStage {
  rooms = new ScriptedRooms();
  folder = "";
  io = new ScriptedIo("");
  private readonly release: Release | null;
  private control: Control | null = null;

  /** `release`: what is live there. */
  constructor(release: Release | null = null) {
    this.release = release;
    beforeEach(() => this.open());
    afterEach(() => this.close());
  }

  millrace(...argv: string[]): Promise<number> {
    return run(argv, COMMANDS, "9.9.9", this.io);
  }

  /** Its file stays, as that of one that was killed. */
  async stopNode(): Promise<void> {
    await this.control?.stop();
  }

  private async open(): Promise<void> {
    this.rooms = new ScriptedRooms();
    if (this.release !== null) this.rooms.current = this.release;
    this.control = new Control({ host: "127.0.0.1", port: 0, token: "secret", tokenIsConfigured: false, rooms: this.rooms });
    await this.control.start();
    this.folder = await realpath(await mkdtemp(join(tmpdir(), "millrace-cli-")));
    await mkdir(join(this.folder, ".millrace"));
    await writeFile(
      join(this.folder, ".millrace", NODE_FILE),
      JSON.stringify({ gateway: "", control: this.control.address, pid: process.pid }),
    );
    await writeFile(join(this.folder, ".millrace", TOKEN_FILE), "secret");
    this.io = new ScriptedIo(this.folder);
  }

  private async close(): Promise<void> {
    await this.stopNode();
    await rm(this.folder, { recursive: true, force: true });
  }
}
