import type { Command } from "../command.ts";
import { deadList, deadPurge, deadRedrive, deadShow } from "./dead.ts";
import { dev } from "./dev.ts";
import { doctor } from "./doctor.ts";
import { emit } from "./emit.ts";
import { events, eventsShow } from "./events.ts";
import { functions } from "./functions.ts";
import { init } from "./init.ts";
import { invoke } from "./invoke.ts";
import { logs } from "./logs.ts";
import { start } from "./start.ts";
import { version } from "./version.ts";

/** In the order in which help lists them. */
export const COMMANDS: readonly Command[] = [
  init,
  dev,
  start,
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
  doctor,
  version,
];
