export {
  type AdminClient,
  apiPath,
  ask,
  ProblemFailure,
} from "./admin-client.ts";
export { openAdmin } from "./open-admin.ts";
export { openSocketAdmin } from "./socket-admin.ts";
