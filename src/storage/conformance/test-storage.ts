/**
 * What every storage engine must do, as tests of node:test: `src/broker/storage-port.ts` in executable form. Each check
 * has an engine of its own, looks at most things twice, while the engine runs and after it was closed and opened again,
 * and knows nothing of an engine but the port.
 */
import { test } from "node:test";
import { fieldChecks } from "./field-checks.ts";
import { referenceChecks } from "./reference-checks.ts";
import { restoreChecks } from "./restore-checks.ts";
import { rowChecks } from "./row-checks.ts";
import { sessionChecks } from "./session-checks.ts";
import { StorageTrial, type StorageUnderTest } from "./storage-trial.ts";
import { trimChecks } from "./trim-checks.ts";

export type { StorageUnderTest } from "./storage-trial.ts";

const checks = [
  sessionChecks,
  fieldChecks,
  rowChecks,
  referenceChecks,
  trimChecks,
  restoreChecks,
].flatMap((group) => Object.entries(group));

/**
 * Registers one test for each check. `open` answers a new, empty engine of which nothing was asked yet.
 *
 * ```ts
 * testStorage("my engine", async () => {
 *   const folder = await mkdtemp(join(tmpdir(), "my-engine-"));
 *   let storage = new MyStorage(folder);
 *   return {
 *     storage,
 *     async reopen() {
 *       await storage.close();
 *       storage = new MyStorage(folder);
 *       return storage;
 *     },
 *     async end() {
 *       await storage.close();
 *       await rm(folder, { recursive: true });
 *     },
 *   };
 * });
 * ```
 */
export function testStorage(name: string, open: () => Promise<StorageUnderTest>): void {
  for (const [title, check] of checks) {
    test(`${name}: ${title}`, async () => {
      const trial = await StorageTrial.open(open);
      try {
        await check(trial);
      } finally {
        await trial.end();
      }
    });
  }
}
