/**
 * The API of a running tserve, on a socket in its folder: through it users are changed while the broker runs. Where no socket
 * can be made the broker runs without, and says so.
 */
import { type AdminListener, type Bans, createAdminApi, listenAdmin } from "../../admin/index.ts";
import {
  type Grant,
  hashPassword,
  makeScramKeys,
  Registrations,
  UserAdministration,
  type UserDirectory,
} from "../../auth/index.ts";
import { type Log, systemClock, TstackError } from "../../base/index.ts";
import type { RecordStore, StoredRecord } from "../../broker/index.ts";
import type { Broker } from "../../index.ts";

interface AdminParts {
  readonly directory: UserDirectory;
  readonly store: RecordStore;
  /** What `store` held at the start. */
  readonly records: readonly StoredRecord[];
  /** What anonymous clients may do now. */
  readonly anonymous: () => Grant | undefined;
  readonly broker: Pick<Broker, "clients">;
  readonly bans: Bans;
  readonly version: string;
  readonly log: Log;
}

export async function openAdmin(
  { directory, store, records, anonymous, broker, bans, version, log }: AdminParts,
  folder: string,
): Promise<AdminListener | undefined> {
  const clock = systemClock;
  const hashers = { hashPassword, makeScramKeys };
  const users = new UserAdministration(directory, store, { ...hashers, clock, anonymous, log });
  const registrations = new Registrations({ users, records: store, stored: records, clock, log });
  try {
    const api = await createAdminApi({ users, registrations, broker, bans, version, log });
    return await listenAdmin(api, folder);
  } catch (error) {
    if (!(error instanceof TstackError && error.code === "ADMIN_UNREACHABLE")) throw error;
    log.warn({}, error.message);
    return undefined;
  }
}
