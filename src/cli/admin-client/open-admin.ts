/**
 * Finds whom to ask about a broker's users: the broker that runs with the folder, or else the folder itself, which is held
 * meanwhile so that no broker starts with it. A broker that starts or ends at this moment is waited for.
 */
import { readdirSync, statSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { adminSocketOf } from "../../admin/index.ts";
import { TstackError } from "../../base/index.ts";
import { storeFileOf } from "../../storage/index.ts";
import { ProgramFailure } from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import type { AdminClient } from "./admin-client.ts";
import { openSocketAdmin } from "./socket-admin.ts";

const attemptsMax = 25;
const millisecondsBetween = 200;
const attemptsBeforeWord = 5;

/** @throws ProgramFailure or TstackError, which say what to do */
export async function openAdmin(folder: string, io: ProgramIo): Promise<AdminClient> {
  refuseForeign(folder);
  const path = adminSocketOf(folder);
  for (let attempt = 1; ; attempt++) {
    const running = await openSocketAdmin(path);
    if (running !== undefined) return running;
    try {
      // fastify is loaded only where it is needed.
      const { openFolderAdmin } = await import("./folder-admin.ts");
      return await openFolderAdmin(folder);
    } catch (error) {
      if (!(error instanceof TstackError) || error.code !== "STORAGE_LOCKED") throw error;
      const holder = /in use by (.*): stop it/.exec(error.message)?.[1] ?? "another program";
      if (attempt === attemptsBeforeWord) io.stderr.write(`waits for ${holder}\n`);
      if (attempt === attemptsMax) throw lockedFailure(folder, holder, error);
    }
    await setTimeout(millisecondsBetween);
  }
}

/** A mistyped folder must not become one of a broker. */
function refuseForeign(folder: string): void {
  let content: readonly string[];
  try {
    const found = statSync(folder, { throwIfNoEntry: false });
    if (found === undefined) {
      throw new ProgramFailure(
        `there is no folder ${folder}: name the broker's with --data, start tserve once, or make it: mkdir -m 700 ${quote(folder)}`,
      );
    }
    if (!found.isDirectory()) throw new ProgramFailure(`${folder} is no folder`);
    if (statSync(storeFileOf(folder), { throwIfNoEntry: false }) !== undefined) return;
    content = readdirSync(folder);
  } catch (error) {
    const isForbidden = error instanceof Error && "code" in error && error.code === "EACCES";
    if (!isForbidden) throw error;
    const message = `only its owner may look into ${folder}: run this as the user who runs the broker`;
    throw new ProgramFailure(message, { cause: error });
  }
  if (content.some((name) => !name.startsWith("tstack."))) {
    throw new ProgramFailure(
      `no broker has kept anything in ${folder}: name the broker's folder with --data (tserve says it when it starts)`,
    );
  }
}

function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function lockedFailure(folder: string, holder: string, cause: TstackError): ProgramFailure {
  return new ProgramFailure(
    `${folder} is in use by ${holder}, and no API answers: wait for it or stop it; if it is a broker, its log says why it has none`,
    { cause },
  );
}
