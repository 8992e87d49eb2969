export { type RecordsUnderTest, testRecordStore } from "./test-record-store.ts";
export { type StorageUnderTest, testStorage } from "./test-storage.ts";
