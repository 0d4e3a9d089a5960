import { didYouMean, MillraceError, parseDurationMs, parseSizeBytes } from "../core/index.ts";

/**
 * What an operator can set, as data: the CLI's flags, the environment variables and docs/reference/configuration.md are made from
 * this table. A flag wins over its variable.
 */
export interface Setting {
  readonly flag: string;
  readonly variable: string;
  readonly kind: "text" | "port" | "duration" | "size" | "count";
  /** Of a count; without it 1. */
  readonly least?: number;
  /** What stands there when nobody says anything; null: nothing. */
  readonly standard: string | null;
  readonly summary: string;
}

export const SETTINGS = {
  host: { flag: "host", variable: "MILLRACE_HOST", kind: "text", standard: "127.0.0.1", summary: "Address the gateway listens on" },
  port: { flag: "port", variable: "MILLRACE_PORT", kind: "port", standard: "4800", summary: "Port of the gateway; 0 takes any free one" },
  controlHost: {
    flag: "control-host",
    variable: "MILLRACE_CONTROL_HOST",
    kind: "text",
    standard: "127.0.0.1",
    summary: "Address the control API listens on",
  },
  controlPort: {
    flag: "control-port",
    variable: "MILLRACE_CONTROL_PORT",
    kind: "port",
    standard: null,
    summary: "Port of the control API (default: the gateway's port + 1)",
  },
  data: {
    flag: "data",
    variable: "MILLRACE_DATA",
    kind: "text",
    standard: ".millrace",
    summary: "Data directory: one node uses it at a time",
  },
  publicUrl: {
    flag: "public-url",
    variable: "MILLRACE_PUBLIC_URL",
    kind: "text",
    standard: null,
    summary: "What the addresses of callbacks begin with, behind a proxy (default: the gateway's own address)",
  },
  eventsToken: {
    flag: "events-token",
    variable: "MILLRACE_EVENTS_TOKEN",
    kind: "text",
    standard: null,
    summary: "Token that POST /_/events wants; needed when the gateway listens beyond loopback",
  },
  controlToken: {
    flag: "control-token",
    variable: "MILLRACE_CONTROL_TOKEN",
    kind: "text",
    standard: null,
    summary: "Token of the control API (default: made at first start and kept in the data directory)",
  },
  retention: {
    flag: "retention",
    variable: "MILLRACE_RETENTION",
    kind: "duration",
    standard: "7d",
    summary: "How long events, settled deliveries and log lines are kept",
  },
  memory: {
    flag: "memory",
    variable: "MILLRACE_MEMORY",
    kind: "size",
    standard: null,
    summary: "Sum of the memory limits of all instances (default: 75 % of the machine's)",
  },
  spares: {
    flag: "spares",
    variable: "MILLRACE_SPARES",
    kind: "count",
    least: 0,
    standard: "2",
    summary: "Kinds of functions (by memory, grants and network) for which a process stands ready; 0 starts each when it is called",
  },
  wall: {
    flag: "wall",
    variable: "MILLRACE_WALL",
    kind: "text",
    standard: null,
    summary: "jail: refuse to start where none stands; permission: put up none (default: a jail where one stands)",
  },
  maxBody: {
    flag: "max-body",
    variable: "MILLRACE_MAX_BODY",
    kind: "size",
    standard: "100mb",
    summary: "Largest request body of a function call",
  },
  maxEvent: {
    flag: "max-event",
    variable: "MILLRACE_MAX_EVENT",
    kind: "size",
    standard: "1mb",
    summary: "Largest event at POST /_/events",
  },
  maxBatch: { flag: "max-batch", variable: "MILLRACE_MAX_BATCH", kind: "size", standard: "16mb", summary: "Largest batch of events" },
  maxHops: {
    flag: "max-hops",
    variable: "MILLRACE_MAX_HOPS",
    kind: "count",
    standard: "32",
    summary: "Longest chain of events that wake each other",
  },
  grace: {
    flag: "grace",
    variable: "MILLRACE_GRACE",
    kind: "duration",
    standard: "10s",
    summary: "How long calls in flight may take to end when the node stops",
  },
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingName = keyof typeof SETTINGS;

export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly controlHost: string;
  readonly controlPort: number;
  readonly data: string;
  /** Without a slash at its end; null: the gateway's own address. */
  readonly publicUrl: string | null;
  readonly eventsToken: string | null;
  readonly controlToken: string | null;
  readonly retentionMs: number;
  readonly memoryBytes: number | null;
  readonly spares: number;
  readonly wall: "permission" | "jail" | null;
  readonly maxBodyBytes: number;
  readonly maxEventBytes: number;
  readonly maxBatchBytes: number;
  readonly maxHops: number;
  readonly graceMs: number;
}

/** Reads and checks every setting; `flags` by setting name. Throws `bad_config` with the flag or variable that is wrong. */
export function resolveSettings(
  flags: Readonly<Partial<Record<SettingName, string>>>,
  environment: Readonly<Record<string, string | undefined>>,
): Settings {
  const given = (name: SettingName): { text: string; from: string } | null => {
    const setting: Setting = SETTINGS[name];
    const flag = flags[name];
    if (flag !== undefined) return { text: flag, from: `--${setting.flag}` };
    const variable = environment[setting.variable];
    if (variable !== undefined && variable !== "") return { text: variable, from: setting.variable };
    return setting.standard === null ? null : { text: setting.standard, from: `--${setting.flag}` };
  };
  const text = (name: SettingName): string | null => {
    const value = given(name);
    // An empty host would be every address there is.
    if (value !== null && value.text.trim() === "")
      throw new MillraceError("bad_config", `${value.from} is empty`, { cure: "Give it a value, or leave it out." });
    return value === null ? null : value.text;
  };
  const number = (name: SettingName): number | null => {
    const value = given(name);
    return value === null ? null : parse(SETTINGS[name], value.text, value.from);
  };
  const port = number("port") ?? 0;
  return {
    host: text("host") ?? "",
    port,
    controlHost: text("controlHost") ?? "",
    controlPort: number("controlPort") ?? (port === 0 ? 0 : nextPort(port)),
    data: text("data") ?? "",
    publicUrl: publicUrlOf(given("publicUrl")),
    eventsToken: text("eventsToken"),
    controlToken: text("controlToken"),
    retentionMs: number("retention") ?? 0,
    memoryBytes: number("memory"),
    spares: number("spares") ?? 0,
    wall: wallOf(given("wall")),
    maxBodyBytes: number("maxBody") ?? 0,
    maxEventBytes: number("maxEvent") ?? 0,
    maxBatchBytes: number("maxBatch") ?? 0,
    maxHops: number("maxHops") ?? 0,
    graceMs: number("grace") ?? 0,
  };
}

function publicUrlOf(value: { text: string; from: string } | null): string | null {
  if (value === null) return null;
  const url = URL.canParse(value.text) ? new URL(value.text) : null;
  if (url !== null && (url.protocol === "https:" || url.protocol === "http:") && url.search === "" && url.hash === "")
    return url.href.replace(/\/+$/, "");
  throw new MillraceError("bad_config", `${value.from}: "${value.text}" is no address such as https://app.example.com`);
}

const WALLS = ["jail", "permission"] as const;

function wallOf(value: { text: string; from: string } | null): Settings["wall"] {
  if (value === null) return null;
  const wall = WALLS.find((each) => each === value.text);
  if (wall !== undefined) return wall;
  throw new MillraceError(
    "bad_config",
    `${value.from}: "${value.text}" is no wall${didYouMean(value.text, WALLS)}: use jail or permission`,
  );
}

function parse({ kind, least }: Setting, text: string, from: string): number {
  try {
    switch (kind) {
      case "port":
        return whole(text, 0, 65_535, "a port");
      case "count":
        return whole(text, least ?? 1, 1_000_000, "a count");
      case "duration":
        return parseDurationMs(/^\d+$/.test(text) ? Number(text) : text);
      case "size":
        return parseSizeBytes(/^\d+$/.test(text) ? Number(text) : text);
      case "text":
        return Number.NaN;
      default:
        return kind satisfies never;
    }
  } catch (error) {
    if (error instanceof MillraceError) throw new MillraceError("bad_config", `${from}: ${error.message}`, { cause: error });
    throw error;
  }
}

function whole(text: string, least: number, most: number, what: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new MillraceError("bad_config", `"${text}" is not ${what}: use a whole number from ${least} to ${most}`);
}

function nextPort(port: number): number {
  if (port < 65_535) return port + 1;
  throw new MillraceError("bad_config", "--port 65535 leaves no next port for the control API", { cure: "Name one with --control-port." });
}
