export {
  type AdminClient,
  apiPath,
  ask,
  ProblemFailure,
} from "./admin-client.ts";
export { openSocketAdmin } from "./socket-admin.ts";
export { addDataOption, locateFolder, withAdmin } from "./with-admin.ts";
