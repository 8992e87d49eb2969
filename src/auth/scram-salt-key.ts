/**
 * The key that makes the salts of names without keys for SCRAM: made once and kept, so that such a name has the same salt
 * before and after a restart, as users have. Who reads it can tell who is a user, and nothing else.
 */
import { randomBytes } from "node:crypto";
import { type Log, silentLog, TstackError } from "../base/index.ts";
import type { RecordStore, StoredRecord } from "../broker/ports.ts";

const kind = "secret";
const name = "scram-salt-key";
const keyBytes = 32;

/** `records` are those of `store` at the start. Where it cannot be written, the key is for this process alone. */
export async function openScramSaltKey(
  records: readonly StoredRecord[],
  store: RecordStore,
  log: Log = silentLog,
): Promise<Buffer> {
  const kept = records.find((record) => record.kind === kind && record.name === name);
  const key = Buffer.from(kept?.value ?? "", "hex");
  if (key.length === keyBytes) return key;
  const made = randomBytes(keyBytes);
  try {
    await store.writeRecords([{ kind, name, value: made.toString("hex") }]);
  } catch (error) {
    if (!(error instanceof TstackError)) throw error;
    log.warn(
      { error },
      "the key for salts of SCRAM could not be kept: the next start makes another",
    );
  }
  return made;
}
