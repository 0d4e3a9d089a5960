import type { Command } from "../command.ts";
import { deadList, deadPurge, deadRedrive, deadShow } from "./dead.ts";
import { emit } from "./emit.ts";
import { events, eventsShow } from "./events.ts";
import { functions } from "./functions.ts";
import { invoke } from "./invoke.ts";
import { logs } from "./logs.ts";
import { version } from "./version.ts";

/** In the order in which help lists them. */
export const COMMANDS: readonly Command[] = [
  emit,
  invoke,
  functions,
  events,
  eventsShow,
  logs,
  deadList,
  deadShow,
  deadRedrive,
  deadPurge,
  version,
];
