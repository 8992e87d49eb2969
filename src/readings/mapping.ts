/** From messages to readings: the contract of `default-mapping.ts` and of a mapping file (`mapping-file.ts`). */
import type { ConsumedMessage } from "./message.ts";
import type { Reading } from "./reading.ts";

export interface Mapping {
  /**
   * The readings of a message: none where it is dropped. The same message always has the same readings.
   * @throws TstackError PAYLOAD_UNREADABLE where the payload is not what the mapping says
   */
  map(message: ConsumedMessage): readonly Reading[];
}
