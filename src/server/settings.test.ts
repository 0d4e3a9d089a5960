import { describe, expect, it } from "vitest";
import { MillraceError } from "../core/index.ts";
import { resolveSettings, type SettingName, type Settings, SETTINGS } from "./settings.ts";

describe("settings", () => {
  it("have a sane value when nobody says anything", () => {
    expect(resolveSettings({}, {})).toEqual({
      host: "127.0.0.1",
      port: 4800,
      controlHost: "127.0.0.1",
      controlPort: 4801,
      data: ".millrace",
      publicUrl: null,
      eventsToken: null,
      controlToken: null,
      retentionMs: 7 * 86_400_000,
      memoryBytes: null,
      spares: 2,
      wall: null,
      maxBodyBytes: 100 * 1024 * 1024,
      maxEventBytes: 1024 * 1024,
      maxBatchBytes: 16 * 1024 * 1024,
      maxHops: 32,
      graceMs: 10_000,
    });
  });

  it.each<[SettingName, string, Partial<Settings>]>([
    ["host", "0.0.0.0", { host: "0.0.0.0" }],
    ["port", "0", { port: 0, controlPort: 0 }],
    ["port", "65534", { port: 65_534, controlPort: 65_535 }],
    ["controlPort", "9000", { port: 4800, controlPort: 9000 }],
    ["data", "/var/lib/millrace", { data: "/var/lib/millrace" }],
    ["controlToken", "secret", { controlToken: "secret" }],
    ["retention", "36h", { retentionMs: 129_600_000 }],
    ["retention", "5000", { retentionMs: 5000 }],
    ["memory", "2gb", { memoryBytes: 2 * 1024 ** 3 }],
    ["wall", "jail", { wall: "jail" }],
    ["wall", "permission", { wall: "permission" }],
    ["maxEvent", "4096", { maxEventBytes: 4096 }],
    ["maxHops", "7", { maxHops: 7 }],
    ["spares", "0", { spares: 0 }],
    ["grace", "0s", { graceMs: 0 }],
  ])("%s takes %s, as a flag and as a variable; the flag wins", (name, text, expected) => {
    const { variable } = SETTINGS[name];
    expect(resolveSettings({ [name]: text }, {})).toMatchObject(expected);
    expect(resolveSettings({}, { [variable]: text })).toMatchObject(expected);
    expect(resolveSettings({ [name]: text }, { [variable]: "nonsense" })).toMatchObject(expected);
  });

  it("an empty variable says nothing", () => {
    expect(resolveSettings({}, { MILLRACE_PORT: "", MILLRACE_HOST: "" })).toMatchObject({ port: 4800, host: "127.0.0.1" });
  });

  it.each<[SettingName, string, string]>([
    ["port", "http", "is not a port"],
    ["port", "65536", "is not a port"],
    ["port", "-1", "is not a port"],
    ["port", "80.5", "is not a port"],
    ["controlPort", "x", "is not a port"],
    ["wall", "jial", 'is no wall .did you mean "jail"'],
    ["wall", "process", "is no wall: use jail or permission"],
    ["maxHops", "0", "is not a count"],
    ["maxHops", "1.5", "is not a count"],
    ["retention", "a week", "is no duration"],
    ["grace", "-1s", "is no duration"],
    ["maxBody", "big", "is no size"],
    ["memory", "1tb", "is no size"],
    ["host", " ", "is empty"],
    ["data", " ", "is empty"],
  ])("%s refuses %s, and names the flag or the variable that said so", (name, text, words) => {
    const { flag, variable } = SETTINGS[name];
    expect(faultOf({ [name]: text }, {})).toMatch(new RegExp(`^--${flag}.*${words}`));
    expect(faultOf({}, { [variable]: text })).toMatch(new RegExp(`^${variable}.*${words}`));
  });

  it("an empty host is refused: it would be every address there is", () => {
    expect(faultOf({ host: "" }, {})).toBe("--host is empty");
  });

  it("the last port leaves none for the control door, unless it is named", () => {
    expect(faultOf({ port: "65535" }, {})).toContain("--port 65535");
    expect(resolveSettings({ port: "65535", controlPort: "4801" }, {})).toMatchObject({ port: 65_535, controlPort: 4801 });
  });

  it("no two share a flag or a variable", () => {
    const all = Object.values(SETTINGS);
    expect(new Set(all.map(({ flag }) => flag)).size).toBe(all.length);
    expect(new Set(all.map(({ variable }) => variable)).size).toBe(all.length);
  });

  it("take the address that callbacks begin with, without a slash at its end", () => {
    expect(resolveSettings({ publicUrl: "https://app.example.com/base/" }, {}).publicUrl).toBe("https://app.example.com/base");
    expect(() => resolveSettings({ publicUrl: "app.example.com" }, {})).toThrow(/--public-url: "app.example.com" is no address/);
  });
});

function faultOf(flags: Partial<Record<SettingName, string>>, environment: Record<string, string>): string {
  try {
    resolveSettings(flags, environment);
  } catch (error) {
    if (error instanceof MillraceError && error.code === "bad_config") return error.message;
    throw error;
  }
  return "nothing was wrong";
}
