export { MemoryStorage } from "./memory/index.ts";
