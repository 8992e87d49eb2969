export { createAdminApi } from "./admin-api.ts";
export { type AdminListener, adminSocketOf, listenAdmin } from "./admin-socket.ts";
export type * from "./api-types.ts";
export type { Bans, Registrations, RunningBroker, Users } from "./ports.ts";
