/** SUBSCRIBE and SUBACK: 5.0 and 3.1.1, sections 3.8 and 3.9. */
import { PacketType } from "../packets.ts";
import { all, both3, only5, only31, only311, type Vector } from "./vector.ts";

const malformed = "MQTT_MALFORMED_PACKET";
const protocolError = "MQTT_PROTOCOL_ERROR";
const subscribe = { type: PacketType.subscribe, packetIdentifier: 10, properties: {} } as const;
const suback = { type: PacketType.suback, packetIdentifier: 10, properties: {} } as const;
const plain = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;

const accepted: readonly Vector[] = [
  {
    name: "SUBSCRIBE to two filters",
    versions: both3,
    bytes: `82 0d 000a 0003 "a/b" 01 0002 "+/" 02`,
    packet: {
      ...subscribe,
      subscriptions: [
        { ...plain, filter: "a/b", qos: 1 },
        { ...plain, filter: "+/", qos: 2 },
      ],
    },
  },
  {
    name: "SUBSCRIBE with each option",
    versions: only5,
    bytes: `82 1b 000a 00 0001 "a" 00 0001 "b" 04 0001 "c" 08 0001 "d" 10 0001 "e" 20 0001 "#" 2e`,
    packet: {
      ...subscribe,
      subscriptions: [
        { ...plain, filter: "a" },
        { ...plain, filter: "b", noLocal: true },
        { ...plain, filter: "c", retainAsPublished: true },
        { ...plain, filter: "d", retainHandling: 1 },
        { ...plain, filter: "e", retainHandling: 2 },
        { filter: "#", qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 },
      ],
    },
  },
  {
    name: "SUBSCRIBE with a subscription identifier, shared",
    versions: only5,
    bytes: `82 14 000a 05 0b ffffff7f 0009 "$share/g/" 01`,
    packet: {
      ...subscribe,
      subscriptions: [{ ...plain, filter: "$share/g/", qos: 1 }],
      properties: { subscriptionIdentifiers: [268_435_455] },
    },
  },
  {
    name: "SUBSCRIBE whose upper option bits 3.1 does not use",
    versions: only31,
    bytes: `82 06 000a 0001 "a" fd`,
    canonical: false,
    packet: { ...subscribe, subscriptions: [{ ...plain, filter: "a", qos: 1 }] },
  },
  {
    name: "SUBSCRIBE sent again, as 3.1 lets DUP say",
    versions: only31,
    bytes: `8a 06 000a 0001 "a" 00`,
    canonical: false,
    packet: { ...subscribe, subscriptions: [{ ...plain, filter: "a" }] },
  },
  {
    name: "3.1.1 [MQTT-3.9.3-1] SUBACK with what was granted, in the order of the filters",
    versions: both3,
    bytes: "90 06 000a 00 01 02 80",
    packet: { ...suback, reasonCodes: [0, 1, 2, 0x80] },
  },
  {
    name: "5.0 [MQTT-3.9.3-2] SUBACK with every reason code",
    versions: only5,
    bytes: "90 0f 000a 00 00 01 02 80 83 87 8f 91 97 9e a1 a2",
    packet: {
      ...suback,
      reasonCodes: [0, 1, 2, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2],
    },
  },
  {
    name: "SUBACK with properties",
    versions: only5,
    bytes: `90 10 000a 0c 1f 0002 "no" 26 0001 "k" 0001 "v" 87`,
    packet: {
      ...suback,
      reasonCodes: [0x87],
      properties: { reasonString: "no", userProperties: [["k", "v"]] },
    },
  },
];

const refusedOptions: readonly Vector[] = [
  ...["40", "80", "c0"].map(
    (options): Vector => ({
      name: `5.0 [MQTT-3.8.3-5] SUBSCRIBE with the reserved options 0x${options}`,
      versions: only5,
      bytes: `82 07 000a 00 0001 "a" ${options}`,
      error: malformed,
      because: "reserved subscription option",
    }),
  ),
  ...["03", "04", "08", "10", "80"].map(
    (options): Vector => ({
      name: `3.1.1 [MQTT-3.8.3-4] SUBSCRIBE with the options 0x${options}`,
      versions: only311,
      bytes: `82 06 000a 0001 "a" ${options}`,
      error: malformed,
      because: "is not a requested QoS",
    }),
  ),
  {
    name: "SUBSCRIBE for QoS 3",
    versions: only31,
    bytes: `82 06 000a 0001 "a" 03`,
    error: malformed,
    because: "is not a requested QoS",
  },
  {
    name: "SUBSCRIBE for QoS 3",
    versions: only5,
    bytes: `82 07 000a 00 0001 "a" 03`,
    error: protocolError,
    because: "QoS is 3",
  },
  {
    name: "SUBSCRIBE with retain handling 3",
    versions: only5,
    bytes: `82 07 000a 00 0001 "a" 30`,
    error: protocolError,
    because: "retain handling is 3",
  },
  {
    name: "5.0 [MQTT-3.8.3-4] SUBSCRIBE with no local on a shared subscription",
    versions: only5,
    bytes: `82 10 000a 00 000a "$share/g/a" 04`,
    error: protocolError,
    because: "no local",
  },
];

const refused: readonly Vector[] = [
  {
    name: "5.0 [MQTT-3.8.3-2] SUBSCRIBE without a filter",
    versions: only5,
    bytes: "82 03 000a 00",
    error: protocolError,
    because: "no topic filter",
  },
  {
    name: "3.1.1 [MQTT-3.8.3-3] SUBSCRIBE without a filter",
    versions: both3,
    bytes: "82 02 000a",
    error: protocolError,
    because: "no topic filter",
  },
  {
    name: "SUBSCRIBE without options",
    versions: only5,
    bytes: `82 06 000a 00 0001 "a"`,
    error: malformed,
    because: "too early",
  },
  {
    name: "5.0 [MQTT-2.2.1-3] SUBSCRIBE with packet identifier 0",
    versions: only5,
    bytes: `82 07 0000 00 0001 "a" 00`,
    error: protocolError,
    because: "packet identifier is 0",
  },
  {
    name: "3.1.1 [MQTT-2.3.1-1] SUBSCRIBE with packet identifier 0",
    versions: both3,
    bytes: `82 06 0000 0001 "a" 00`,
    error: protocolError,
    because: "packet identifier is 0",
  },
  ...["80", "81", "83", "8a", "8f"].map(
    (first): Vector => ({
      name: `5.0 [MQTT-3.8.1-1] 3.1.1 [MQTT-3.8.1-1] SUBSCRIBE with the first byte 0x${first}`,
      versions: [4, 5],
      bytes: `${first} 07 000a 00 0001 "a" 00`,
      error: malformed,
      because: "first byte",
    }),
  ),
  {
    name: "5.0 [MQTT-3.8.3-1] SUBSCRIBE with a filter that is no UTF-8",
    versions: only5,
    bytes: "82 07 000a 00 0001 ff 00",
    error: malformed,
    because: "UTF-8",
  },
  {
    name: "SUBSCRIBE with a filter beyond the packet",
    versions: all,
    bytes: `82 06 000a 00ff "a" 00`,
    error: malformed,
    because: "too early",
  },
  {
    name: "SUBSCRIBE with two subscription identifiers",
    versions: only5,
    bytes: `82 0b 000a 04 0b 01 0b 02 0001 "a" 00`,
    error: protocolError,
    because: "more than once",
  },
  {
    name: "SUBSCRIBE with subscription identifier 0",
    versions: only5,
    bytes: `82 09 000a 02 0b 00 0001 "a" 00`,
    error: protocolError,
    because: "must not be 0",
  },
  {
    name: "3.1.1 [MQTT-3.9.3-2] SUBACK with a code that 3.x does not have",
    versions: both3,
    bytes: "90 03 000a 87",
    error: protocolError,
    because: "reason code 0x87",
  },
  {
    name: "5.0 [MQTT-3.9.3-2] SUBACK with a code of UNSUBACK",
    versions: only5,
    bytes: "90 04 000a 00 11",
    error: protocolError,
    because: "reason code 0x11",
  },
  {
    name: "SUBACK without a code",
    versions: only5,
    bytes: "90 03 000a 00",
    error: protocolError,
    because: "answers no subscription",
  },
  {
    name: "SUBACK without a code",
    versions: both3,
    bytes: "90 02 000a",
    error: protocolError,
    because: "answers no subscription",
  },
  {
    name: "SUBACK with packet identifier 0",
    versions: both3,
    bytes: "90 03 0000 00",
    error: protocolError,
    because: "packet identifier is 0",
  },
  {
    name: "5.0 [MQTT-2.1.3-1] 3.1.1 [MQTT-2.2.2-2] SUBACK with flags in the first byte",
    versions: [4, 5],
    bytes: "92 04 000a 00 00",
    error: malformed,
    because: "first byte",
  },
];

export const subscribeVectors: readonly Vector[] = [...accepted, ...refusedOptions, ...refused];
