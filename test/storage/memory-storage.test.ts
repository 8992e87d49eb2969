import { test } from "node:test";
import { MemoryStorage } from "../../src/storage/index.ts";
import { checkAgainstModel } from "./storage-model.ts";

test("random batches, pages and reopenings: storage in memory answers as the plain model does", async () => {
  await checkAgainstModel(
    async () => {
      const storage = new MemoryStorage();
      return { storage, reopen: async () => storage, end: () => storage.close() };
    },
    { runs: 1000 },
  );
});
