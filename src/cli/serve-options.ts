import { resolve } from "node:path";
import { MillraceError } from "../core/errors.ts";
import { resolveSettings, type Setting, type SettingName, type Settings, SETTINGS } from "../server/settings.ts";
import { type OptionSpec, UsageError } from "./command.ts";
import type { Io } from "./io.ts";

const VALUES: Readonly<Record<Setting["kind"], string>> = { text: "TEXT", port: "N", duration: "DURATION", size: "SIZE", count: "N" };

type Flag = (typeof SETTINGS)[SettingName]["flag"];
type SettingOptions = { readonly [F in Flag]: Extract<OptionSpec, { readonly type: "string" }> };

/** The options of the commands that serve: every setting of the node, from its own table. */
export const SETTING_OPTIONS = Object.fromEntries(
  Object.values<Setting>(SETTINGS).map(({ flag, kind, summary, standard }) => {
    const what = standard === null ? summary : `${summary} (default: ${standard})`;
    return [flag, { type: "string", value: VALUES[kind], summary: what }];
  }),
) as SettingOptions;

/** The node's settings from flags and environment; paths stand from where the command was given. */
export function readSettings(command: string, options: Readonly<Partial<Record<Flag, string | undefined>>>, io: Io): Settings {
  const flags: Partial<Record<SettingName, string>> = {};
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const given = options[SETTINGS[name].flag];
    if (given !== undefined) flags[name] = given;
  }
  try {
    const settings = resolveSettings(flags, io.env);
    return { ...settings, data: resolve(io.cwd, settings.data) };
  } catch (error) {
    // A wrong value that was typed is a wrong command line; one of a variable is not.
    const typed = Object.keys(flags).map((name) => `--${SETTINGS[name as SettingName].flag}`);
    if (error instanceof MillraceError && typed.some((flag) => error.message.startsWith(flag)))
      throw new UsageError(error.message, command);
    throw error;
  }
}
