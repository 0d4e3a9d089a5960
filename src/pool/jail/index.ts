export { describeLaunch, type Launch } from "./launch.ts";
export { groupLimitBytes, OVERHEAD_BYTES, tmpLimitBytes } from "./limits.ts";
export { hasMemoryGroups, type MemoryGroup, MemoryGroups } from "./memory-groups.ts";
export { raiseWall } from "./raise-wall.ts";
export { killLaunch, startLaunch } from "./start.ts";
export { insistOn, type Lack, type Wall } from "./wall.ts";
