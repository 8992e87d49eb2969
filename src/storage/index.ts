export { MemoryStorage } from "./memory/index.ts";
export type { ContentMessage, StoreContent } from "./sqlite/lines.ts";
