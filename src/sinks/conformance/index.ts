export type { SinkTraits, SinkUnderTest, StoredValue } from "./sink-under-test.ts";
export { testSink } from "./test-sink.ts";
