/** What the broker says, and whether it may: every packet is held against what it has heard and what is safe. */
import {
  type ConnackPacket,
  type Packet,
  PacketType,
  type PublishPacket,
  type QoS,
} from "../../../src/codec/index.ts";
import { nameIn } from "../names.ts";
import type { Conversation, Owed } from "./conversation.ts";
import type { Epoch, Wish } from "./epoch.ts";
import { parseShared } from "./matches.ts";
import type { MessageRecord } from "./message-book.ts";
import type { Model } from "./model.ts";

const failureMin = 0x80;

export function say(model: Model, conversation: Conversation, packet: Packet): void {
  switch (packet.type) {
    case PacketType.connack:
      break; // see `welcome`
    case PacketType.publish:
      if (conversation.epoch !== undefined)
        sayPublish(model, conversation, conversation.epoch, packet);
      break;
    case PacketType.puback:
    case PacketType.pubrec:
    case PacketType.pubcomp:
    case PacketType.suback:
    case PacketType.unsuback: {
      const owed = conversation.settle(packet.type, packet.packetIdentifier);
      if (owed === undefined) {
        model.check(`${conversation.name}: no such answer of type ${packet.type} is next`);
      } else if (conversation.epoch !== undefined) answer(model, conversation.epoch, packet, owed);
      break;
    }
    case PacketType.pubrel:
      conversation.settle(packet.type, packet.packetIdentifier);
      if (packet.reasonCode >= failureMin || conversation.epoch === undefined) break;
      model.check(model.promises?.names(conversation.epoch, packet.packetIdentifier, ""));
      break;
  }
}

/** CONNACK; MQTT 3.1 cannot say whether the session was there, but the broker knows. */
export function welcome(
  model: Model,
  conversation: Conversation,
  { packet, isPresent }: { packet: ConnackPacket; isPresent: boolean },
): void {
  const { candidate, expirySeconds, clientIdentifier } = conversation;
  if (packet.reasonCode !== 0 || candidate === undefined) return;
  const known = model.epochs.get(clientIdentifier) ?? candidate;
  const { lifetime } = known;
  if (isPresent) {
    // One that another connection has begun since the CONNECT is there all the same.
    const isSame = known === candidate || conversation.connect?.cleanStart === true;
    if (conversation.mustBeginAnew && isSame)
      model.check(`the session of ${clientIdentifier} should be gone`);
  } else if (conversation.connect?.cleanStart === false && !lifetime.mayBeGone(model.now)) {
    model.check(`the session of ${clientIdentifier} is lost`);
  }
  if (isPresent) returnInTime(model, clientIdentifier);
  const epoch = isPresent ? known : model.begin(clientIdentifier, expirySeconds);
  if (epoch.conversation !== undefined) model.over(epoch.conversation);
  epoch.lifetime.connected();
  model.onceStored(epoch.lifetime.askedExpiry(expirySeconds));
  epoch.flights.connected();
  epoch.conversation = conversation;
  conversation.epoch = epoch;
}

/** The wills that wait for the session's end are taken back. */
function returnInTime(model: Model, clientIdentifier: string): void {
  for (const will of model.wills.values()) {
    if (will.record.publisher !== clientIdentifier || !will.isEarly(model.now)) continue;
    model.onceStored(() => will.cancelled());
  }
}

function answer(model: Model, epoch: Epoch, packet: Packet, owed: Owed): void {
  const { promises } = model;
  const { packetIdentifier, record } = owed;
  switch (packet.type) {
    case PacketType.puback:
      if (packet.reasonCode < failureMin && record !== undefined) acknowledge(model, record, owed);
      break;
    case PacketType.pubrec:
      if (packet.reasonCode >= failureMin || record === undefined) break;
      model.check(promises?.remembers(epoch, packetIdentifier));
      if (epoch.lifetime.persists) epoch.lifetime.isStored = true;
      acknowledge(model, record, owed);
      break;
    case PacketType.pubcomp:
      model.check(promises?.releases(epoch, packetIdentifier));
      break;
    case PacketType.suback:
      for (const [index, [filter, wish]] of (owed.wishes ?? []).entries()) {
        grant(model, epoch, { filter, wish, reasonCode: packet.reasonCodes[index] });
      }
      if (epoch.lifetime.persists && packet.reasonCodes.some((code) => code < failureMin)) {
        epoch.lifetime.isStored = true;
      }
      break;
    case PacketType.unsuback:
      for (const [index, filter] of (owed.filters ?? []).entries()) {
        if ((packet.reasonCodes[index] ?? 0) >= failureMin && model.around.mayRefuse) continue;
        epoch.unsubscribed(filter, owed.moment, model.moment);
        if (!epoch.subscriptions.has(filter)) model.check(promises?.unsubscribes(epoch, filter));
      }
      break;
  }
}

function grant(
  model: Model,
  epoch: Epoch,
  { filter, wish, reasonCode }: { filter: string; wish: Wish; reasonCode: number },
): void {
  if (reasonCode >= failureMin && model.around.mayRefuse) {
    epoch.refused(filter, wish, model.moment);
    return;
  }
  if (reasonCode !== wish.options.qos) model.check(`SUBACK ${reasonCode} for ${filter}`);
  const subscription = epoch.subscriptions.get(filter);
  if (subscription?.wishes.at(-1) === wish && subscription.leavingSince < wish.moment) {
    model.check(model.promises?.subscribes(epoch, filter, wish));
  }
  subscription?.granted(wish, model.moment);
}

/** The message is the broker's from now on. */
function acknowledge(model: Model, record: MessageRecord, { moment, retained }: Owed): void {
  if (retained !== undefined) {
    model.retained.acknowledged(record.topic, retained, model.moment);
    model.check(model.promises?.retains(record.topic, model.retained.current(record.topic)));
  }
  if (record.name === "" || record.mayExpire) return;
  if (model.around.hasTightQueues) return;
  const groups = new Set<string>();
  for (const epoch of model.epochs.values()) {
    if (epoch.lifetime.mayBeGone(model.now)) continue;
    if (epoch.isObliged(record, moment)) {
      if (!epoch.arrivals.has(record.name)) epoch.obligations.set(record.name, record);
      model.check(model.promises?.keeps(epoch, record));
    }
    for (const subscription of epoch.subscriptions.values()) {
      const shared = parseShared(subscription.filter);
      if (shared === undefined) continue;
      if (!subscription.obliges(record, epoch.clientIdentifier, moment)) continue;
      if (epoch.lifetime.persists) groups.add(`${shared.group}/${shared.filter}`);
    }
  }
  for (const group of groups) {
    model.groupObligations.push({ group, record, moment });
    const members = [...model.allEpochs()].filter((epoch) => epoch.mayBeMember(group));
    if (model.mayBeGoneWithMember(members, group, { record, moment })) continue;
    model.check(model.promises?.keepsForGroup(group, record, members));
  }
}

function sayPublish(
  model: Model,
  conversation: Conversation,
  epoch: Epoch,
  packet: PublishPacket,
): void {
  const { clientIdentifier } = epoch;
  const { qos, dup, retain, packetIdentifier = 0, properties } = packet;
  const receiveMaximum = conversation.connect?.properties.receiveMaximum ?? 65_535;
  const fault = epoch.flights.said(packet, receiveMaximum);
  if (fault !== undefined) model.check(`${clientIdentifier}: ${fault}`);
  const name = nameIn(packet.payload);
  const record = model.book.find(name);
  if (name === "") return;
  if (record === undefined) {
    model.check(`${clientIdentifier} gets ${name}, which nobody has sent`);
    return;
  }
  const will = model.wills.get(name);
  if (will !== undefined) model.sawWill(will);
  const causes = [...epoch.all()].filter((one) => one.mayBring(record, clientIdentifier));
  if (causes.length === 0) model.check(`${clientIdentifier} gets ${name} without a subscription`);
  else if (!causes.some((one) => one.mayBringAt(qos, record.qos)))
    model.check(`${name} of QoS ${record.qos} comes at QoS ${qos}`);
  if (retain && !causes.some((one) => one.mayRetain(model.retained, record))) {
    model.check(
      `${clientIdentifier} gets ${name} as retained on ${record.topic}, which it was not`,
    );
  }
  for (const identifier of properties.subscriptionIdentifiers ?? []) {
    if (causes.some(({ identifiers }) => identifiers.has(identifier))) continue;
    model.check(`${name} comes to ${clientIdentifier} with subscription identifier ${identifier}`);
  }
  if (!dup) checkExpiry(model, record, properties.messageExpiryInterval);
  if (qos === 2) model.check(model.promises?.names(epoch, packetIdentifier, name));
}

function checkExpiry(model: Model, record: MessageRecord, told: number | undefined): void {
  const { expirySeconds, heardLastAt, name } = record;
  if (expirySeconds === undefined || record.isWill) return;
  const left = heardLastAt + expirySeconds * 1000 - model.now + model.around.expirySlack;
  if (left < 0) model.check(`${name} comes ${-left} ms after it expired`);
  if (told !== undefined && told * 1000 > left + 1000) {
    model.check(`${name} comes with ${told} s to live, and has ${left} ms`);
  }
}

/** A client takes a message for the first time, as far as it can know. */
export function arrive(model: Model, epoch: Epoch, packet: PublishPacket): void {
  const record = model.book.find(nameIn(packet.payload));
  if (record === undefined) return;
  const { name } = record;
  const { qos, retain } = packet;
  const isFirst = !epoch.arrivals.has(name);
  const isObliged = epoch.isObliged(record, record.heardFirst);
  const times = epoch.arrived(name, qos, retain);
  const most = timesAtMost(model, epoch, record, qos);
  if ((qos === 2 || record.qos === 0) && times > most) {
    model.check(`${name} has come to ${epoch.clientIdentifier} ${times} times at QoS ${qos}`);
  }
  if (!isFirst || retain || record.isWill || model.mayComeShared(epoch, name)) return;
  // Refused the first time, it is taken over behind others when it is sent again.
  const mayBeLate = record.mayExpire || (model.around.mayRefuse && record.heardTimes > 1);
  const isSteady = isObliged && !mayBeLate && !model.around.hasTightQueues;
  if (record.qos > 0 && (qos === 0 || !isSteady)) return;
  const later = epoch.overtakenBy(record, qos);
  if (later !== undefined)
    model.check(`${later.name} has overtaken ${name} on its way to ${epoch.clientIdentifier}`);
}

/** Once for each way to it: its own subscriptions together, and each group. */
function timesAtMost(model: Model, epoch: Epoch, record: MessageRecord, qos: QoS): number {
  let own = 0;
  let groups = 0;
  for (const subscription of epoch.all()) {
    if (!subscription.mayBring(record, epoch.clientIdentifier)) continue;
    if (subscription.isShared) groups++;
    else own = 1;
  }
  const times = qos === 2 ? 1 : (model.wills.get(record.name)?.times ?? 1);
  return times * (own + groups);
}
