export { Gateway, type GatewayOptions } from "./gateway.ts";
export { DEFAULT_GATEWAY_LIMITS, type GatewayLimits } from "./gateway-limits.ts";
export type { DoorAddress } from "./listening.ts";
