/** Messages and what they say: the readings, and how topics and payloads become readings. */
import type { Mapping } from "./mapping.ts";

export { createDefaultMapping } from "./default-mapping.ts";
export type { Mapping } from "./mapping.ts";
export type { ConsumedMessage } from "./message.ts";
export { type FieldValue, type Reading, type Series, valueField } from "./reading.ts";

/**
 * A mapping by the rules of a file, which is written as docs/mapping.md says. Its readers are loaded when they are
 * needed: most consumers have no such file.
 *
 * @param file its name, for people
 * @throws TstackError CONFIGURATION_INVALID whose message has one line for each mistake, `mapping.yaml:7: ...`
 */
export async function parseMapping(text: string, file: string): Promise<Mapping> {
  const { readMappingFile } = await import("./mapping-file.ts");
  return readMappingFile(text, file);
}
