export { Schedules, SCHEDULE_TYPE } from "./schedules.ts";
