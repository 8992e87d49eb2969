/** PUBACK and PUBREC: the broker has taken a message over, or says why not. */
import { ReasonCode } from "../base/index.ts";
import { PacketType } from "../codec/index.ts";
import type { Connection } from "./connection.ts";

interface Acknowledged {
  readonly qos: 0 | 1 | 2;
  readonly packetIdentifier: number;
  /** Whether it confirms something that is not yet safe. */
  readonly mustWait: boolean;
}

/**
 * With the packet identifier of the message [MQTT-2.2.1-5], 3.1.1: [MQTT-2.3.1-6]; nothing for QoS 0. 3.x has no
 * reason codes: whatever the reason, it gets the same four bytes.
 */
export function acknowledgePublish(
  connection: Connection,
  { qos, packetIdentifier, mustWait }: Acknowledged,
  reasonCode: ReasonCode,
  reason?: string,
): void {
  if (qos === 0) return;
  if (!connection.isV5 || reasonCode === ReasonCode.success) {
    connection.answers.acknowledge(qos === 1 ? 0x40 : 0x50, packetIdentifier, mustWait);
    return;
  }
  // Callers give no code that both packets do not have [MQTT-3.4.2-1] [MQTT-3.5.2-1].
  const properties = reason === undefined ? {} : connection.reasonString(reason);
  const { puback, pubrec } = PacketType;
  if (qos === 1)
    connection.send({ type: puback, packetIdentifier, reasonCode, properties }, mustWait);
  else connection.send({ type: pubrec, packetIdentifier, reasonCode, properties }, mustWait);
}
