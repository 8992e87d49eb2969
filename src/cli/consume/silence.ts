/**
 * When a broker has nothing more: messages that waited there come in portions, as far as earlier ones are acknowledged, and
 * no packet says which is the last. But a PINGREQ is answered behind what was sent before it.
 */
import { setTimeout as delay } from "node:timers/promises";

/** A broker that fetches the next portion from its disk answers before it has it: the question is put twice. */
const quietRounds = 2;
const betweenMilliseconds = 250;

export interface Asking {
  /** How many messages have come. */
  received(): number;
  /** Resolves when all that came is acknowledged. */
  settle(): Promise<void>;
  /** Resolves when the broker has answered. */
  ping(): Promise<void>;
}

/** Resolves when everything that waited has come and is acknowledged. */
export async function awaitSilence(asking: Asking): Promise<void> {
  let quiet = 0;
  while (quiet < quietRounds) {
    if (quiet > 0) await delay(betweenMilliseconds);
    const before = asking.received();
    await asking.settle();
    await asking.ping();
    quiet = asking.received() === before ? quiet + 1 : 0;
  }
}
