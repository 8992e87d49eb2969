export { type StorageUnderTest, testStorage } from "./test-storage.ts";
