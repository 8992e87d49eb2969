/** The readings of a message, or why the mapping cannot read it. Anything else that a mapping throws is a bug. */
import { TstackError } from "../../base/index.ts";
import type { ConsumedMessage, Mapping, Reading } from "../../readings/index.ts";
import type { DeadLetter } from "./dead-letters.ts";

export type Mapped = readonly Reading[] | DeadLetter;

export function mapMessage(mapping: Mapping, message: ConsumedMessage): Mapped {
  try {
    return mapping.map(message);
  } catch (error) {
    if (!(error instanceof TstackError) || error.code !== "PAYLOAD_UNREADABLE") throw error;
    return { sink: "mapping", reason: error.message, message };
  }
}

export function isUnreadable(mapped: Mapped): mapped is DeadLetter {
  return "reason" in mapped;
}
