export { Control, type ControlOptions } from "./control.ts";
export type { ControlRooms, NodeFacts } from "./node-facts.ts";
