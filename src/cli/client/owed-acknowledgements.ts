/**
 * Acknowledgements that a program gives when it is ready, in any number at once, while MQTT.js goes on with the next
 * message: it would otherwise acknowledge each by itself before it hands over another. Packet identifiers belong to one
 * network connection; what is owed to one that has ended is forgotten, since the broker sends those messages again.
 */
import type { Writable } from "node:stream";
import type { IPublishPacket } from "mqtt";

/** What the broker waits for, of one message of QoS 1 or 2. */
export interface OwedAcknowledgement {
  readonly packetIdentifier: number;
  readonly qos: 1 | 2;
  /** Counts the network connections of this program. */
  readonly connection: number;
}

const puback = 0x40;
const pubrec = 0x50;
const acknowledgementBytes = 4;

export class OwedAcknowledgements {
  #connection = 0;
  /** MQTT.js hands a packet over before it looks at the next one. */
  #packet: IPublishPacket | undefined;
  #owed: OwedAcknowledgement | undefined;

  /** A new network connection begins. */
  connected(): void {
    this.#connection += 1;
  }

  /** Called before MQTT.js handles the packet, which then finds nothing to acknowledge. */
  takeOver(packet: IPublishPacket): void {
    const { qos, messageId } = packet;
    if (qos === 0 || messageId === undefined) return;
    this.#packet = packet;
    this.#owed = { packetIdentifier: messageId, qos, connection: this.#connection };
    packet.qos = 0;
  }

  /** What is owed for a packet that MQTT.js has handed over; it has its QoS again. */
  giveBack(packet: IPublishPacket): OwedAcknowledgement | undefined {
    if (packet !== this.#packet || this.#owed === undefined) return undefined;
    packet.qos = this.#owed.qos;
    return this.#owed;
  }

  /**
   * Writes PUBACK or PUBREC for each, in this order; the PUBREL that follows is answered by MQTT.js. The caller keeps the
   * order in which the messages came. [MQTT-4.6.0-2] [MQTT-4.6.0-3]
   */
  send(stream: Writable, acknowledgements: readonly OwedAcknowledgement[]): void {
    const bytes = Buffer.allocUnsafe(acknowledgements.length * acknowledgementBytes);
    let end = 0;
    for (const { packetIdentifier, qos, connection } of acknowledgements) {
      if (connection !== this.#connection) continue;
      bytes[end] = qos === 1 ? puback : pubrec;
      bytes[end + 1] = 2;
      bytes.writeUInt16BE(packetIdentifier, end + 2);
      end += acknowledgementBytes;
    }
    if (end > 0) stream.write(bytes.subarray(0, end));
  }
}
