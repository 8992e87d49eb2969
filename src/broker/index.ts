export { Broker } from "./broker.ts";
export type { ConnectionEnding } from "./connection-ending.ts";
export type { BrokerEvents } from "./events.ts";
export type * from "./ports.ts";
export type { ClientView, DisconnectUserOptions } from "./user-sessions.ts";
