export { describeLaunch, type Launch } from "./launch.ts";
export { tmpLimitBytes } from "./limits.ts";
export { raiseWall } from "./raise-wall.ts";
export { killLaunch, startLaunch } from "./start.ts";
export { insistOn, type Lack, type Wall } from "./wall.ts";
