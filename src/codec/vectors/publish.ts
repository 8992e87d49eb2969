/** PUBLISH: 5.0 and 3.1.1, section 3.3. */
import { PacketType } from "../packets.ts";
import { all, both3, only5, type Vector } from "./vector.ts";

const type = PacketType.publish;
const malformed = "MQTT_MALFORMED_PACKET";
const protocolError = "MQTT_PROTOCOL_ERROR";
const topicInvalid = "MQTT_TOPIC_NAME_INVALID";
const plain = { type, qos: 0, retain: false, dup: false, properties: {} } as const;

const accepted: readonly Vector[] = [
  {
    name: "3.1.1 [MQTT-2.3.1-5] QoS 0 has no packet identifier",
    versions: both3,
    bytes: `30 07 0003 "a/b" "hi"`,
    packet: { ...plain, topic: "a/b", payload: Buffer.from("hi") },
  },
  {
    name: "5.0 [MQTT-2.2.1-2] QoS 0 has no packet identifier",
    versions: only5,
    bytes: `30 08 0003 "a/b" 00 "hi"`,
    packet: { ...plain, topic: "a/b", payload: Buffer.from("hi") },
  },
  {
    name: "QoS 1, retained",
    versions: both3,
    bytes: `33 09 0003 "a/b" 000a "hi"`,
    packet: {
      ...plain,
      topic: "a/b",
      payload: Buffer.from("hi"),
      qos: 1,
      retain: true,
      packetIdentifier: 10,
    },
  },
  {
    name: "QoS 2, sent again",
    versions: only5,
    bytes: `3c 0a 0003 "a/b" ffff 00 "hi"`,
    packet: {
      ...plain,
      topic: "a/b",
      payload: Buffer.from("hi"),
      qos: 2,
      dup: true,
      packetIdentifier: 65_535,
    },
  },
  {
    name: "an empty payload",
    versions: both3,
    bytes: `31 05 0003 "a/b"`,
    packet: { ...plain, topic: "a/b", payload: Buffer.alloc(0), retain: true },
  },
  {
    name: "5.0 [MQTT-3.3.2-18] every property, and user properties in their order",
    versions: only5,
    bytes: `30 3b 0001 "t" 36 01 01 02 0000000a 03 0004 "text" 08 0003 "r/t" 09 0002 00ff
      0b 01 0b 8001 23 0007 26 0001 "b" 0001 "1" 26 0001 "a" 0001 "2" 26 0001 "b" 0001 "1" "x"`,
    packet: {
      ...plain,
      topic: "t",
      payload: Buffer.from("x"),
      properties: {
        payloadFormatIndicator: 1,
        messageExpiryInterval: 10,
        contentType: "text",
        responseTopic: "r/t",
        correlationData: Buffer.from("00ff", "hex"),
        subscriptionIdentifiers: [1, 128],
        topicAlias: 7,
        userProperties: [
          ["b", "1"],
          ["a", "2"],
          ["b", "1"],
        ],
      },
    },
  },
  {
    name: "properties in another order than ours",
    versions: only5,
    bytes: `30 0c 0001 "t" 07 23 0007 03 0001 "c" "x"`,
    canonical: false,
    packet: {
      ...plain,
      topic: "t",
      payload: Buffer.from("x"),
      properties: { contentType: "c", topicAlias: 7 },
    },
  },
  {
    name: "a topic alias in place of the topic",
    versions: only5,
    bytes: `30 07 0000 03 23 0001 "x"`,
    packet: { ...plain, topic: "", payload: Buffer.from("x"), properties: { topicAlias: 1 } },
  },
];

const refused: readonly Vector[] = [
  {
    name: "5.0 [MQTT-3.3.1-4] 3.1.1 [MQTT-3.3.1-4] QoS 3",
    versions: all,
    bytes: `36 09 0003 "a/b" 000a 00 "h"`,
    error: malformed,
    because: "QoS is 3",
  },
  {
    name: "5.0 [MQTT-3.3.1-2] 3.1.1 [MQTT-3.3.1-2] DUP at QoS 0",
    versions: all,
    bytes: `38 08 0003 "a/b" 00 "hi"`,
    error: malformed,
    because: "DUP",
  },
  {
    name: "5.0 [MQTT-2.2.1-3] 3.1.1 [MQTT-2.3.1-1] packet identifier 0",
    versions: all,
    bytes: `32 09 0003 "a/b" 0000 00 "h"`,
    error: protocolError,
    because: "packet identifier is 0",
  },
  {
    name: "5.0 [MQTT-3.3.2-1] 3.1.1 [MQTT-3.3.2-1] no topic",
    versions: all,
    bytes: "30 00",
    error: malformed,
    because: "too early",
  },
  {
    name: "5.0 [MQTT-3.3.2-1] 3.1.1 [MQTT-3.3.2-1] a topic beyond the packet",
    versions: all,
    bytes: `30 05 0004 "a/b"`,
    error: malformed,
    because: "too early",
  },
  {
    name: "half a packet identifier",
    versions: all,
    bytes: `32 06 0003 "a/b" 00`,
    error: malformed,
    because: "too early",
  },
  ...["a/+", "#", "a#b", "+"].map(
    (topic): Vector => ({
      name: `5.0 [MQTT-3.3.2-2] [MQTT-4.7.0-1] 3.1.1 [MQTT-3.3.2-2] [MQTT-4.7.1-1] the wildcards of ${topic} in a topic name`,
      versions: all,
      bytes: `30 0${3 + topic.length} 000${topic.length} "${topic}" 00`,
      error: topicInvalid,
      because: "wildcard",
    }),
  ),
  {
    name: "3.1.1 [MQTT-4.7.3-1] an empty topic",
    versions: both3,
    bytes: `30 03 0000 "x"`,
    error: topicInvalid,
    because: "empty",
  },
  {
    name: "neither topic nor topic alias",
    versions: only5,
    bytes: `30 04 0000 00 "x"`,
    error: protocolError,
    because: "neither",
  },
  {
    name: "5.0 [MQTT-3.3.2-8] topic alias 0",
    versions: only5,
    bytes: `30 07 0000 03 23 0000 "x"`,
    error: "MQTT_TOPIC_ALIAS_INVALID",
    because: "alias is 0",
  },
  {
    name: "5.0 [MQTT-3.3.2-14] a response topic with a wildcard",
    versions: only5,
    bytes: `30 0a 0001 "t" 06 08 0003 "r/#"`,
    error: protocolError,
    because: "response topic holds",
  },
  {
    name: "5.0 [MQTT-4.7.3-1] an empty response topic",
    versions: only5,
    bytes: `30 07 0001 "t" 03 08 0000`,
    error: protocolError,
    because: "response topic is empty",
  },
  {
    name: "5.0 [MQTT-3.3.2-13] a response topic that is no UTF-8",
    versions: only5,
    bytes: `30 08 0001 "t" 04 08 0001 80`,
    error: malformed,
    because: "UTF-8",
  },
  {
    name: "5.0 [MQTT-3.3.2-19] a content type that is no UTF-8",
    versions: only5,
    bytes: `30 08 0001 "t" 04 03 0001 00`,
    error: malformed,
    because: "UTF-8",
  },
  {
    name: "5.0 [MQTT-1.5.5-1] a property length in more bytes than needed",
    versions: only5,
    bytes: `30 05 0001 "t" 80 00`,
    error: malformed,
    because: "more bytes than needed",
  },
  {
    name: "a property length of five bytes",
    versions: only5,
    bytes: `30 08 0001 "t" 80 80 80 80 01`,
    error: malformed,
    because: "longer than four bytes",
  },
  {
    name: "5.0 [MQTT-2.2.2-1] no property length",
    versions: only5,
    bytes: `30 03 0001 "t"`,
    error: malformed,
    because: "too early",
  },
  {
    name: "a property beyond the property length",
    versions: only5,
    bytes: `30 08 0001 "t" 02 23 0001 00`,
    error: malformed,
    because: "too early",
  },
];

export const publishVectors: readonly Vector[] = [...accepted, ...refused];
