/** One line about a packet, for `--debug`. Passwords and payloads are not in it. */
import type { Packet } from "mqtt";

export function describePacket(packet: Packet): string {
  const name = packet.cmd.toUpperCase();
  switch (packet.cmd) {
    case "connect":
      return `${name} (client ${packet.clientId}, clean ${packet.clean}, keep alive ${packet.keepalive})`;
    case "connack":
      return `${name} (${packet.reasonCode ?? packet.returnCode}, session present ${packet.sessionPresent})`;
    case "publish":
      return `${name} (id ${packet.messageId ?? 0}, dup ${Number(packet.dup)}, QoS ${packet.qos}, retain ${Number(packet.retain)}, ${packet.topic}, ${packet.payload.length} bytes)`;
    case "subscribe":
      return `${name} (id ${packet.messageId}, ${packet.subscriptions.map(({ topic, qos }) => `${topic} QoS ${qos}`).join(", ")})`;
    case "suback":
      return `${name} (id ${packet.messageId}, ${packet.granted.join(", ")})`;
    case "unsubscribe":
      return `${name} (id ${packet.messageId}, ${packet.unsubscriptions.join(", ")})`;
    case "disconnect":
      return `${name} (${packet.reasonCode ?? 0})`;
    case "pingreq":
    case "pingresp":
      return name;
    default:
      return `${name} (${packet.messageId === undefined ? "" : `id ${packet.messageId}`})`;
  }
}
