export {
  type AdminAnswer,
  type AdminClient,
  apiPath,
  ask,
  type Method,
  ProblemFailure,
} from "./admin-client.ts";
export { openAdmin } from "./open-admin.ts";
export { openSocketAdmin } from "./socket-admin.ts";
