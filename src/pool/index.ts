export { type Entry } from "./describe.ts";
export { type ColdStart } from "./fleet.ts";
export { InstancePool, type InstancePoolOptions } from "./instance-pool.ts";
export { hasMemoryGroups, type Lack, raiseWall, type Wall } from "./jail/index.ts";
export * from "./pool.ts";
export { type Exit, type InstanceClass, type InstanceProcess, type SpawnInstance } from "./spawn.ts";
