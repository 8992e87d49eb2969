/** What was said on one connection, and which answers the broker owes there. */
import type { ConnectPacket, ProtocolVersion } from "../../../src/codec/index.ts";
import type { Epoch, Wish } from "./epoch.ts";
import type { MessageRecord } from "./message-book.ts";
import type { RetainedCandidate } from "./retained-model.ts";
import type { WillModel } from "./will-model.ts";

/** An answer that the broker owes: to what, and since when. */
export interface Owed {
  readonly packetIdentifier: number;
  readonly moment: number;
  readonly record?: MessageRecord;
  readonly retained?: RetainedCandidate | undefined;
  readonly wishes?: readonly (readonly [filter: string, wish: Wish])[];
  readonly filters?: readonly string[];
}

export class Conversation {
  readonly name: string;
  readonly clientIdentifier: string;
  readonly version: ProtocolVersion;
  connect: ConnectPacket | undefined;
  expirySeconds = 0;
  /** The session that CONNACK spoke of. */
  epoch: Epoch | undefined;
  /** The one that CONNECT may have begun. */
  candidate: Epoch | undefined;
  /** At CONNECT the session may have been gone, so that nobody knows which one it is until CONNACK. */
  mayBeginAnew = false;
  mustBeginAnew = false;
  will: WillModel | undefined;
  isOver = false;
  readonly owed = new Map<number, Owed[]>();
  /** Values on their way to the retained store. */
  readonly retained = new Set<RetainedCandidate>();

  constructor(name: string, clientIdentifier: string, version: ProtocolVersion) {
    this.name = name;
    this.clientIdentifier = clientIdentifier;
    this.version = version;
  }

  owe(type: number, owed: Owed): void {
    const all = this.owed.get(type);
    if (all === undefined) this.owed.set(type, [owed]);
    else all.push(owed);
  }

  /** Answers of one type come in the order of what they answer. */
  settle(type: number, packetIdentifier: number): Owed | undefined {
    const all = this.owed.get(type);
    if (all?.[0]?.packetIdentifier !== packetIdentifier) return undefined;
    return all.shift();
  }
}
