/**
 * Valid sessions, from CONNECT on, for every version: what clients do, one function for each purpose. They share a few
 * client identifiers, topics and filters, so that clients meet. What the broker's answers ask for is not in them: that
 * is answered as it comes.
 */
import type { Packet } from "../../src/codec/index.ts";
import type { PacketKit } from "./packet-kit.ts";

type Writer = (kit: PacketKit) => Packet[];

/** Messages to and fro at every QoS. */
const converse: Writer = (kit) => [
  kit.connect(),
  kit.subscribe(),
  ...kit.several(2, 8, () => kit.publish()),
  kit.pingreq(),
  kit.unsubscribe(),
  ...kit.several(0, 3, () => kit.publish()),
  kit.disconnect(),
];

/** One topic, one QoS, again and again: the hot path. */
const stream: Writer = (kit) => {
  const topic = kit.topic();
  const qos = kit.chance.pick([0, 0, 1, 2] as const);
  return [
    kit.connect(),
    ...kit.several(5, 30, () => kit.publish({ topic, qos, retain: false, properties: {} })),
    kit.disconnect(),
  ];
};

const subscribeMuch: Writer = (kit) => [
  kit.connect({ cleanStart: false }),
  ...kit.several(2, 6, () => kit.subscribe()),
  ...kit.several(0, 3, () => kit.unsubscribe()),
  ...kit.several(1, 3, () => kit.subscribe()),
  kit.pingreq(),
];

/** A session that waits for its client, and is taken up again. */
const comeBack: Writer = (kit) => [
  kit.connect({ cleanStart: false, properties: { sessionExpiryInterval: 1000 } }),
  kit.subscribe(),
  ...kit.several(0, 2, () => kit.publish({ qos: 2 })),
  ...kit.several(0, 1, () => kit.disconnect()),
];

const leaveWill: Writer = (kit) => [
  kit.connect({ will: kit.will() }),
  ...kit.several(0, 2, () => kit.subscribe()),
  ...kit.several(0, 2, () => kit.publish()),
  ...kit.several(0, 1, () => kit.disconnect()),
];

const keepRetained: Writer = (kit) => [
  kit.connect(),
  ...kit.several(2, 6, () => kit.publish({ retain: true })),
  kit.subscribe(),
  ...kit.several(0, 3, () => kit.publish({ retain: true, payload: Buffer.alloc(0) })),
  kit.subscribe(),
  kit.disconnect(),
];

/** All QoS 2, with releases and second copies of what is under way. */
const exactlyOnce: Writer = (kit) => {
  const packets: Packet[] = [kit.connect({ cleanStart: false }), kit.subscribe()];
  for (let count = kit.chance.between(1, 5); count > 0; count--) {
    const publish = kit.publish({ qos: 2 });
    packets.push(publish);
    if (kit.chance.happens(0.3)) packets.push({ ...publish, dup: true });
    if (kit.chance.happens(0.8)) packets.push(kit.pubrel(publish.packetIdentifier ?? 1));
  }
  return packets;
};

const useAliases: Writer = (kit) => {
  const topic = kit.topic();
  const topicAlias = kit.chance.between(1, 4);
  return [
    kit.connect({ properties: { topicAliasMaximum: kit.chance.between(1, 3) } }),
    kit.publishAlias(topic, topicAlias),
    ...(kit.isV5 ? kit.several(1, 5, () => kit.publishAlias("", topicAlias)) : []),
    kit.subscribe(),
    ...kit.several(1, 4, () => kit.publish()),
  ];
};

const shareWork: Writer = (kit) => [
  kit.connect({ cleanStart: kit.chance.happens(0.5) }),
  kit.subscribe(kit.chance.pick(["$share/g/a/#", "$share/g/#", "$share/h/a/b"])),
  ...kit.several(2, 10, () => kit.publish({ topic: "a/b" })),
  ...kit.several(0, 1, () => kit.unsubscribe()),
  ...kit.several(0, 1, () => kit.disconnect()),
];

/** Enhanced authentication before CONNACK, and once more after it. */
const authenticate: Writer = (kit) => [
  kit.connect({ properties: kit.authentication() }),
  ...kit.several(0, 3, () => kit.auth(0x18)),
  kit.subscribe(),
  kit.auth(0x19),
  ...kit.several(0, 2, () => kit.auth(0x18)),
  kit.publish(),
];

/** A client that takes little: its window and its packets are small. */
const takeLittle: Writer = (kit) => [
  kit.connect({
    properties: {
      receiveMaximum: kit.chance.between(1, 3),
      maximumPacketSize: kit.chance.pick([2, 5, 20, 40, 100]),
      requestProblemInformation: kit.chance.happens(0.5),
    },
  }),
  kit.subscribe("#"),
  ...kit.several(3, 10, () => kit.publish()),
];

/** Packets so large that they are referred to instead of copied. */
const sendMuch: Writer = (kit) => [
  kit.connect(),
  kit.subscribe("a/#"),
  ...kit.several(1, 3, () =>
    kit.publish({
      topic: "a/b",
      payload: Buffer.alloc(kit.chance.pick([5000, 17_000, 70_000]), 0x6c),
    }),
  ),
  kit.disconnect(),
];

const sayNothing: Writer = (kit) => [kit.connect({ keepAliveSeconds: 10 }), kit.pingreq()];

export const sessionWriters: readonly Writer[] = [
  converse,
  converse,
  converse,
  stream,
  stream,
  subscribeMuch,
  subscribeMuch,
  comeBack,
  comeBack,
  comeBack,
  leaveWill,
  leaveWill,
  keepRetained,
  keepRetained,
  exactlyOnce,
  exactlyOnce,
  useAliases,
  useAliases,
  shareWork,
  shareWork,
  shareWork,
  authenticate,
  takeLittle,
  takeLittle,
  sendMuch,
  sayNothing,
];
