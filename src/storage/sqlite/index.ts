export type { SqliteDurability } from "./database.ts";
export { openSqliteStorage, type SqliteStorageOptions } from "./open-sqlite-storage.ts";
