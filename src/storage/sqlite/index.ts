export type { SqliteDurability } from "./database.ts";
export { openSqliteStorage } from "./open-sqlite-storage.ts";
