/** Packets and changes in a few words each, for the history. */
import type { StorageChange } from "../../src/broker/index.ts";
import { type Packet, PacketType } from "../../src/codec/index.ts";
import { nameIn } from "./names.ts";
import { nameOfStored } from "./storage-ledger.ts";

const typeNames = Object.fromEntries(
  Object.entries(PacketType).map(([name, type]) => [type, name.toUpperCase()]),
);

export function describePacket(packet: Packet): string {
  const type = typeNames[packet.type];
  switch (packet.type) {
    case PacketType.connect: {
      const { cleanStart, properties, will, protocolVersion } = packet;
      const expiry = properties.sessionExpiryInterval;
      const last =
        will && `will ${nameIn(will.payload)} after ${will.properties.willDelayInterval ?? 0} s`;
      return [
        type,
        `v${protocolVersion}`,
        cleanStart ? "clean" : "",
        expiry === undefined ? "" : `expiry ${expiry}`,
        last ?? "",
      ]
        .filter((word) => word !== "")
        .join(" ");
    }
    case PacketType.connack:
      return `${type} ${packet.reasonCode}${packet.sessionPresent ? " present" : ""}`;
    case PacketType.publish: {
      const { topic, qos, retain, dup, packetIdentifier } = packet;
      const flags = `${retain ? " retain" : ""}${dup ? " dup" : ""}`;
      return `${type} ${nameIn(packet.payload)} to ${topic} q${qos}${flags} #${packetIdentifier ?? 0}`;
    }
    case PacketType.subscribe:
      return `${type} ${packet.subscriptions.map(({ filter, qos }) => `${filter} q${qos}`).join(" ")} #${packet.packetIdentifier}`;
    case PacketType.unsubscribe:
      return `${type} ${packet.filters.join(" ")} #${packet.packetIdentifier}`;
    case PacketType.suback:
    case PacketType.unsuback:
      return `${type} ${packet.reasonCodes.join(" ")} #${packet.packetIdentifier}`;
    case PacketType.puback:
    case PacketType.pubrec:
    case PacketType.pubrel:
    case PacketType.pubcomp:
      return `${type} #${packet.packetIdentifier}${packet.reasonCode > 0 ? ` code ${packet.reasonCode}` : ""}`;
    case PacketType.disconnect:
      return `${type} ${packet.reasonCode} ${packet.properties.reasonString ?? ""}`;
    default:
      return type;
  }
}

export function describeChange(change: StorageChange): string {
  switch (change.kind) {
    case "message":
      return `message ${change.message}=${nameOfStored(change.content)} x${change.references}`;
    case "row": {
      const { queue, position, message, packetIdentifier } = change.row;
      return `row ${queue}:${position} message ${message} #${packetIdentifier}`;
    }
    case "sent":
      return `sent ${change.queue}:${change.position} #${change.packetIdentifier}`;
    case "moved": {
      const { row } = change;
      return `moved ${change.queue}:${change.position} to ${row.queue}:${row.position} #${row.packetIdentifier}`;
    }
    case "removed":
      return `removed ${change.queue}:${change.position} message ${change.message}`;
    case "session": {
      const { queue, clientIdentifier, isConnected, expiresAt, will } = change.session;
      const state = isConnected ? "connected" : `expires at ${expiresAt}`;
      return `session ${queue}=${clientIdentifier} ${state}${will === undefined ? "" : ` will ${nameOfStored(will.message)} at ${will.publishAt}`}`;
    }
    case "subscribed":
      return `subscribed ${change.queue} ${change.subscription.filter} q${change.subscription.qos}`;
    case "unsubscribed":
      return `unsubscribed ${change.queue} ${change.filter}`;
    case "shared":
      return `shared ${change.queue}=${change.group}/${change.filter}`;
    case "received":
    case "released":
      return `${change.kind} ${change.queue} #${change.packetIdentifier}`;
    case "retained":
      return `retained ${change.topic}=${nameOfStored(change.content)}`;
    case "retainedDeleted":
      return `retainedDeleted ${change.topic}`;
    default:
      return `${change.kind} ${change.queue}`;
  }
}
