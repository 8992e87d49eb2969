export type { SqliteDurability } from "./database.ts";
export { openRecords, openSqliteStorage } from "./open-sqlite-storage.ts";
