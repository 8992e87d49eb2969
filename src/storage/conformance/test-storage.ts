/**
 * What every storage engine must do, as tests of node:test: `src/broker/storage-port.ts` in executable form. Each check
 * has an engine of its own, looks at most things twice, while the engine runs and after it was closed and opened again,
 * and knows nothing of an engine but the port.
 */
import { test } from "node:test";
import { fieldChecks } from "./field-checks.ts";
import { rowChecks } from "./row-checks.ts";
import { sessionChecks } from "./session-checks.ts";
import { type StorageCheck, StorageTrial, type StorageUnderTest } from "./storage-trial.ts";

export type { StorageUnderTest } from "./storage-trial.ts";

const checks: Readonly<Record<string, StorageCheck>> = {
  ...sessionChecks,
  ...fieldChecks,
  ...rowChecks,
};

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
  for (const [title, check] of Object.entries(checks)) {
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
