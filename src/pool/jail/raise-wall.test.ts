import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readMachine } from "./machine.ts";
import { raiseWall, tryWalls } from "./raise-wall.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-tools-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A tool that says this and fails. */
function failing(name: string, said: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\necho '${said}' >&2\nexit 1\n`);
  chmodSync(path, 0o755);
  return path;
}

describe.runIf(process.platform === "linux")("W6: walls are tried", () => {
  const machine = readMachine();

  it("the one that stands is found once", async () => {
    expect(raiseWall()).toBe(raiseWall());
    const { name, lack, idleDataBytes } = await raiseWall();
    expect(name === "jail").toBe(lack === null);
    if (machine.prlimit !== null) expect(idleDataBytes).toBeGreaterThan(2 ** 20);
  });

  it("a bubblewrap that is refused leaves the permission model, and its words", async () => {
    const said = "bwrap: No permissions to create new namespace";
    const wall = await tryWalls({ ...machine, bwrap: failing("bwrap", said) }, "jail");
    expect(wall).toMatchObject({
      name: "permission",
      machine: { prlimit: machine.prlimit, setpriv: machine.setpriv },
      lack: { why: "bubblewrap says: No permissions to create new namespace", cure: expect.stringContaining("user namespaces") },
    });
  });

  it("tools that do not know the options are done without", async () => {
    const prlimit = failing("prlimit", "prlimit: unrecognized option");
    const wall = await tryWalls({ ...machine, bwrap: null, prlimit }, "jail");
    expect(wall.machine).toMatchObject({ prlimit: null, setpriv: machine.setpriv });
    expect(wall.lack?.why).toBe("bubblewrap is not installed");
    const none = await tryWalls({ ...machine, bwrap: null, prlimit, setpriv: failing("setpriv", "setpriv: unrecognized option") }, "jail");
    expect(none).toMatchObject({ name: "permission", machine: { prlimit: null, setpriv: null } });
  });

  it("a weaker one can be asked for", async () => {
    expect(await tryWalls(machine, "permission")).toMatchObject({ name: "permission", lack: { cure: null } });
  });
});

it("W6: on other systems nothing is tried", async () => {
  const wall = await tryWalls({ ...readMachine(), platform: "darwin" }, "jail");
  expect(wall).toMatchObject({ name: "permission", machine: { prlimit: null, setpriv: null }, idleDataBytes: null });
});
