/** UNSUBSCRIBE: filters are compared character by character; the answer tells which ones were there. */
import { ReasonCode } from "../../base/index.ts";
import { PacketType, type UnsubackPacket, type UnsubscribePacket } from "../../codec/index.ts";
import { parseTopicFilter } from "../../topics/index.ts";
import type { Connection } from "../connection.ts";
import type { Session } from "../session.ts";

export function handleUnsubscribe(connection: Connection, packet: UnsubscribePacket): void {
  const { session } = connection;
  if (session === undefined) return;
  // [MQTT-3.10.4-6] [MQTT-3.11.3-1], 3.1.1: [MQTT-3.10.4-6]
  const reasonCodes = packet.filters.map((filter) => remove(connection, session, filter));
  const unsuback: UnsubackPacket = {
    type: PacketType.unsuback, // [MQTT-3.10.4-4], 3.1.1: [MQTT-3.10.4-4]
    packetIdentifier: packet.packetIdentifier, // [MQTT-3.10.4-5] [MQTT-2.2.1-6], 3.1.1: [MQTT-3.10.4-5] [MQTT-2.3.1-7]
    reasonCodes: connection.isV5 ? reasonCodes : [],
    properties: {},
  };
  // That one is not there may have become so a moment ago; that it stays confirms nothing.
  connection.answer(unsuback, session.isStored && !isRefused(connection, session));
}

function remove(connection: Connection, session: Session, filter: string): number {
  const { broker } = connection;
  const subscription = session.subscriptions.get(filter); // [MQTT-3.10.4-1], 3.1.1: [MQTT-3.10.4-1]
  if (isRefused(connection, session)) return ReasonCode.unspecifiedError;
  if (subscription !== undefined) {
    session.stopRetained(filter);
    // Nothing new is delivered [MQTT-3.10.4-2], 3.1.1: [MQTT-3.10.4-2]; what is under way stays in the
    // window until it is acknowledged [MQTT-3.10.4-3], 3.1.1: [MQTT-3.10.4-3].
    broker.subscriptions.remove(subscription);
    broker.log.debug({ client: connection.name, filter }, "unsubscribed");
    return ReasonCode.success;
  }
  // [MQTT-3.11.3-2]
  const isFilter = parseTopicFilter(filter, connection.limits.topicLevelsMax) !== undefined;
  return isFilter ? ReasonCode.noSubscriptionExisted : ReasonCode.topicFilterInvalid;
}

/** Who can be told that its subscriptions stay is told; 3.x waits for its answer until the storage works. */
function isRefused({ isV5, broker }: Connection, session: Session): boolean {
  return session.isStored && isV5 && broker.journal.failure !== undefined;
}
