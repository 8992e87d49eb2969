/**
 * The API of a running tserve, in its folder. Where there is no folder there is none, and where no socket can be made the
 * broker runs without: it only says so.
 */
import type { Bans, Registrations, RunningBroker, Users } from "../../admin/index.ts";
import { type AdminListener, createAdminApi, listenAdmin } from "../../admin/index.ts";
import { type Log, TstackError } from "../../base/index.ts";

interface AdminParts {
  readonly users: Users;
  readonly registrations: Registrations;
  readonly bans?: Bans;
  readonly broker: RunningBroker;
  readonly version: string;
  readonly log: Log;
}

export async function openAdmin(
  parts: AdminParts,
  folder: string,
): Promise<AdminListener | undefined> {
  try {
    return await listenAdmin(await createAdminApi(parts), folder);
  } catch (error) {
    if (!(error instanceof TstackError && error.code === "ADMIN_UNREACHABLE")) throw error;
    parts.log.warn({}, error.message);
    return undefined;
  }
}
