/** Registers devices with the broker that runs on a folder; never with the folder itself, which belongs to the broker. */
import { adminSocketOf, type Registered } from "../../admin/index.ts";
import { ask, openSocketAdmin, ProblemFailure } from "../admin-client/index.ts";
import { ProgramFailure } from "../client/index.ts";

/** Undefined for a key that is refused, for whatever reason. */
export type Register = (key: string) => Promise<Registered | undefined>;

/** @throws ProgramFailure where there is no broker or it cannot do it now */
export function registerAt(folder: string): Register {
  return async (key) => {
    const admin = await openSocketAdmin(adminSocketOf(folder));
    if (admin === undefined) throw noBroker(folder);
    try {
      return await ask<Registered>(admin, "POST", "/v1/registrations", { key });
    } catch (error) {
      if (error instanceof ProblemFailure && error.code === "REGISTRATION_KEY_REFUSED") {
        return undefined;
      }
      throw error;
    } finally {
      await admin.close();
    }
  };
}

/** The sentence for people where no broker runs with the folder yet. @throws ProgramFailure where one may not ask it */
export async function findBrokerMissing(folder: string): Promise<string | undefined> {
  const admin = await openSocketAdmin(adminSocketOf(folder));
  await admin?.close();
  return admin === undefined ? noBroker(folder).message : undefined;
}

function noBroker(folder: string): ProgramFailure {
  return new ProgramFailure(`no broker runs with the folder ${folder}`);
}
