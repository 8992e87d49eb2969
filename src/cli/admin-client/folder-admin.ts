/** The API of a broker that does not run: built on its folder, which this process holds until `close`. */
import { pid } from "node:process";
import { createAdminApi } from "../../admin/index.ts";
import {
  hashPassword,
  makeScramKeys,
  Registrations,
  UserAdministration,
  UserDirectory,
} from "../../auth/index.ts";
import { silentLog, systemClock } from "../../base/index.ts";
import { openRecords } from "../../storage/index.ts";
import { readProgramVersion } from "../program-version.ts";
import type { AdminClient } from "./admin-client.ts";

/** What a broker is told that wants to start meanwhile. */
const holder = `a program that administers its users, process ${pid},`;

/** Throws a TstackError: STORAGE_LOCKED where a broker has the folder. */
export async function openFolderAdmin(folder: string): Promise<AdminClient> {
  const records = await openRecords(folder, holder);
  try {
    const stored = await records.readRecords();
    const directory = new UserDirectory({ configured: [], records: stored });
    const clock = systemClock;
    const users = new UserAdministration(directory, records, {
      clock,
      hashPassword,
      makeScramKeys,
    });
    const registrations = new Registrations({ users, records, stored, clock });
    const api = await createAdminApi({
      users,
      registrations,
      version: readProgramVersion(),
      log: silentLog,
    });
    return {
      isRunning: false,
      async request(method, url, body) {
        const answer = await api.inject({ method, url, payload: body as object | undefined });
        const content = answer.body;
        return {
          status: answer.statusCode,
          body: content === "" ? undefined : (JSON.parse(content) as unknown),
        };
      },
      async close() {
        await api.close();
        await records.close();
      },
    };
  } catch (error) {
    await records.close();
    throw error;
  }
}
