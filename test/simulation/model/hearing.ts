/** What the broker hears: it is bound by it from then on, or may be. */
import {
  type ConnectPacket,
  type DisconnectPacket,
  type Packet,
  PacketType,
  ProtocolVersion,
  type PublishPacket,
  type SubscribePacket,
} from "../../../src/codec/index.ts";
import type { Conversation } from "./conversation.ts";
import { Epoch, type Wish } from "./epoch.ts";
import type { Model } from "./model.ts";
import { WillModel } from "./will-model.ts";

const failureMin = 0x80;

export function hear(model: Model, conversation: Conversation, packet: Packet): void {
  if (packet.type === PacketType.connect) {
    hearConnect(model, conversation, packet);
    return;
  }
  const { epoch } = conversation;
  if (epoch === undefined) return;
  epoch.flights.heard(packet);
  const { moment } = model;
  switch (packet.type) {
    case PacketType.publish:
      hearPublish(model, conversation, packet);
      break;
    case PacketType.pubrec: {
      const { packetIdentifier, reasonCode } = packet;
      if (reasonCode < failureMin)
        conversation.owe(PacketType.pubrel, { packetIdentifier, moment });
      break;
    }
    case PacketType.pubrel:
      conversation.owe(PacketType.pubcomp, { packetIdentifier: packet.packetIdentifier, moment });
      break;
    case PacketType.subscribe:
      hearSubscribe(model, conversation, packet);
      break;
    case PacketType.unsubscribe: {
      const { packetIdentifier, filters } = packet;
      for (const filter of filters) epoch.subscriptions.get(filter)?.leaving(moment);
      conversation.owe(PacketType.unsuback, { packetIdentifier, moment, filters });
      break;
    }
    case PacketType.disconnect:
      hearDisconnect(model, conversation, packet);
      break;
  }
}

function hearConnect(model: Model, conversation: Conversation, packet: ConnectPacket): void {
  const { clientIdentifier, limits } = { ...packet, limits: model.around.limits };
  const isV5 = packet.protocolVersion === ProtocolVersion.v5;
  const asked = isV5
    ? Math.min(packet.properties.sessionExpiryInterval ?? 0, limits.sessionExpirySecondsMax)
    : limits.sessionExpirySecondsV3;
  const expirySeconds = !isV5 && packet.cleanStart ? 0 : asked;
  conversation.connect = packet;
  conversation.expirySeconds = expirySeconds;
  const known = model.epochs.get(clientIdentifier);
  const epoch = known ?? new Epoch(clientIdentifier, expirySeconds);
  conversation.candidate = epoch;
  const { lifetime } = epoch;
  if (known === undefined) {
    lifetime.isInDoubt = true;
    model.epochs.set(clientIdentifier, epoch);
  }
  conversation.mayBeginAnew = packet.cleanStart || lifetime.mayBeGone(model.now);
  conversation.mustBeginAnew =
    packet.cleanStart || (lifetime.mustBeGone(model.now) && !isAwaited(model, conversation));
  if (packet.cleanStart) lifetime.isInDoubt = true;
  lifetime.mayBeTakenUp();
  lifetime.askedExpiry(expirySeconds);
  // Who is back in time takes the will of the last connection back.
  for (const will of model.wills.values()) {
    if (will.record.publisher === clientIdentifier && will.delaySeconds > 0)
      will.mayBeCancelled = true;
  }
  hearWill(model, conversation, packet);
}

/** Whether another connection of the same client waits for its CONNACK. */
function isAwaited(model: Model, conversation: Conversation): boolean {
  for (const other of model.conversations) {
    const { candidate, epoch, clientIdentifier } = other;
    if (other === conversation || candidate === undefined || epoch !== undefined) continue;
    if (clientIdentifier === conversation.clientIdentifier) return true;
  }
  return false;
}

function hearWill(
  model: Model,
  conversation: Conversation,
  { will, clientIdentifier }: ConnectPacket,
): void {
  if (will === undefined) return;
  const { moment, now } = model;
  const record = model.book.heard(will, { publisher: clientIdentifier, moment, now, isWill: true });
  const willModel = new WillModel(record, will.properties.willDelayInterval ?? 0, conversation);
  conversation.will = willModel;
  model.wills.set(record.name, willModel);
}

function hearPublish(model: Model, conversation: Conversation, packet: PublishPacket): void {
  const { moment, now } = model;
  const { topic, qos, retain, packetIdentifier = 0 } = packet;
  const publisher = conversation.clientIdentifier;
  const record = model.book.heard(packet, { publisher, moment, now, isWill: false });
  // A QoS 2 message may have been taken over when it came first.
  const since = qos === 2 ? record.heardFirst : moment;
  const retained = retain ? model.retained.heard(topic, record.name, since) : undefined;
  if (qos === 0) {
    if (retained !== undefined) model.retained.closed(retained, moment);
    return;
  }
  if (retained !== undefined) conversation.retained.add(retained);
  const type = qos === 1 ? PacketType.puback : PacketType.pubrec;
  conversation.owe(type, { packetIdentifier, moment: since, record, retained });
}

function hearSubscribe(model: Model, conversation: Conversation, packet: SubscribePacket): void {
  const { moment } = model;
  const { packetIdentifier, subscriptions, properties } = packet;
  const identifier = properties.subscriptionIdentifiers?.[0] ?? 0;
  const wishes = subscriptions.map(({ filter, qos, noLocal, retainAsPublished }) => {
    const wish: Wish = { options: { qos, noLocal, retainAsPublished, identifier }, moment };
    conversation.epoch?.wish(filter, wish);
    return [filter, wish] as const;
  });
  conversation.owe(PacketType.suback, { packetIdentifier, moment, wishes });
}

function hearDisconnect(
  model: Model,
  { epoch, will }: Conversation,
  packet: DisconnectPacket,
): void {
  if (will !== undefined && packet.reasonCode === 0) {
    will.mayBeCancelled = true;
    model.onceStored(() => will.cancelled());
  }
  const asked = packet.properties.sessionExpiryInterval;
  if (epoch === undefined || asked === undefined) return;
  const expirySeconds = Math.min(asked, model.around.limits.sessionExpirySecondsMax);
  model.onceStored(epoch.lifetime.askedExpiry(expirySeconds));
}
