/** Messages and what they say: the readings, and how topics and payloads become readings. */
export { createDefaultMapping } from "./default-mapping.ts";
export type { Mapping } from "./mapping.ts";
export type { ConsumedMessage } from "./message.ts";
export { type FieldValue, type Reading, type Series, valueField } from "./reading.ts";
