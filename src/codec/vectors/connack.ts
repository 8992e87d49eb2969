/** CONNACK: 5.0 and 3.1.1, section 3.2. */
import { PacketType } from "../packets.ts";
import { all, both3, only5, only31, only311, since311, type Vector } from "./vector.ts";

const type = PacketType.connack;
const malformed = "MQTT_MALFORMED_PACKET";
const protocolError = "MQTT_PROTOCOL_ERROR";

export const connackVectors: readonly Vector[] = [
  {
    name: "accepted, a new session",
    versions: both3,
    bytes: "20 02 00 00",
    packet: { type, sessionPresent: false, reasonCode: 0, properties: {} },
  },
  {
    name: "accepted, with the session of before",
    versions: only311,
    bytes: "20 02 01 00",
    packet: { type, sessionPresent: true, reasonCode: 0, properties: {} },
  },
  {
    name: "3.1 knows no session present: the byte says nothing",
    versions: only31,
    bytes: "20 02 01 00",
    canonical: false,
    packet: { type, sessionPresent: false, reasonCode: 0, properties: {} },
  },
  {
    name: "accepted, with the session of before",
    versions: only5,
    bytes: "20 03 01 00 00",
    packet: { type, sessionPresent: true, reasonCode: 0, properties: {} },
  },
  {
    name: "accepted with what the server grants",
    versions: only5,
    bytes: `20 2d 00 00 2a 11 00000078 12 0003 "x-1" 13 000a 21 0014 22 0008 24 01 25 00
      26 0001 "k" 0001 "v" 27 00010000 28 00 29 01 2a 00`,
    packet: {
      type,
      sessionPresent: false,
      reasonCode: 0,
      properties: {
        sessionExpiryInterval: 120,
        assignedClientIdentifier: "x-1",
        serverKeepAlive: 10,
        receiveMaximum: 20,
        topicAliasMaximum: 8,
        maximumQos: 1,
        retainAvailable: false,
        userProperties: [["k", "v"]],
        maximumPacketSize: 65_536,
        wildcardSubscriptionAvailable: false,
        subscriptionIdentifiersAvailable: true,
        sharedSubscriptionAvailable: false,
      },
    },
  },
  ...[1, 2, 3, 4, 5].map(
    (code): Vector => ({
      name: `refused with return code ${code}`,
      versions: both3,
      bytes: `20 02 00 0${code}`,
      packet: { type, sessionPresent: false, reasonCode: code, properties: {} },
    }),
  ),
  ...[
    0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99,
    0x9a, 0x9b, 0x9c, 0x9d, 0x9f,
  ].map(
    (code): Vector => ({
      name: `5.0 [MQTT-3.2.2-8] refused with reason code 0x${code.toString(16)}`,
      versions: only5,
      bytes: `20 03 00 ${code.toString(16)} 00`,
      packet: { type, sessionPresent: false, reasonCode: code, properties: {} },
    }),
  ),
  {
    name: "a return code of 5.0",
    versions: both3,
    bytes: "20 02 00 84",
    error: protocolError,
    because: "reason code 0x84",
  },
  {
    name: "5.0 [MQTT-3.2.2-8] a return code of 3.x",
    versions: only5,
    bytes: "20 03 00 05 00",
    error: protocolError,
    because: "reason code 0x5",
  },
  {
    name: "5.0 [MQTT-3.2.2-8] a reason code of DISCONNECT",
    versions: only5,
    bytes: "20 03 00 8e 00",
    error: protocolError,
    because: "reason code 0x8e",
  },
  {
    name: "5.0 [MQTT-3.2.2-1] a reserved acknowledge flag",
    versions: only5,
    bytes: "20 03 02 00 00",
    error: malformed,
    because: "reserved flag",
  },
  {
    name: "a reserved acknowledge flag",
    versions: only311,
    bytes: "20 02 81 00",
    error: malformed,
    because: "reserved flag",
  },
  {
    name: "5.0 [MQTT-3.2.2-6] refused and yet a session present",
    versions: only5,
    bytes: "20 03 01 87 00",
    error: protocolError,
    because: "refused client",
  },
  {
    name: "3.1.1 [MQTT-3.2.2-4] refused and yet a session present",
    versions: only311,
    bytes: "20 02 01 05",
    error: protocolError,
    because: "refused client",
  },
  {
    name: "5.0 [MQTT-2.1.3-1] flags in the first byte",
    versions: only5,
    bytes: "21 03 00 00 00",
    error: malformed,
    because: "first byte",
  },
  {
    name: "3.1.1 [MQTT-2.2.2-2] flags in the first byte",
    versions: only311,
    bytes: "22 02 00 00",
    error: malformed,
    because: "first byte",
  },
  {
    name: "5.0 [MQTT-2.2.2-1] no properties, and no length that says so",
    versions: only5,
    bytes: "20 02 00 00",
    error: malformed,
    because: "too early",
  },
  {
    name: "bytes after the end",
    versions: both3,
    bytes: "20 03 00 00 00",
    error: malformed,
    because: "left over",
  },
  {
    name: "bytes after the end",
    versions: only5,
    bytes: "20 04 00 00 00 00",
    error: malformed,
    because: "left over",
  },
  {
    name: "nothing at all",
    versions: all,
    bytes: "20 00",
    error: malformed,
    because: "too early",
  },
  {
    name: "only the flags",
    versions: since311,
    bytes: "20 01 00",
    error: malformed,
    because: "too early",
  },
];
