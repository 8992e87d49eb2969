export { MemoryStorage } from "./memory/index.ts";
export { openStoreReader, type StoreReader, type StoreSize, settleStore } from "./sqlite/backup.ts";
export { HeldFolder, storeFileOf } from "./sqlite/backup-folder.ts";
export { identityOf, makeFolder, stampOf, syncFile } from "./sqlite/folder-files.ts";
export { FolderLock } from "./sqlite/folder-lock.ts";
export { openRecords, openSqliteStorage, type SqliteDurability } from "./sqlite/index.ts";
export type { StoreContent } from "./sqlite/lines.ts";
