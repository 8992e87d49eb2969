/** UNSUBSCRIBE and UNSUBACK: 5.0 and 3.1.1, sections 3.10 and 3.11. */
import { PacketType } from "../packets.ts";
import { all, both3, only5, only31, type Vector } from "./vector.ts";

const malformed = "MQTT_MALFORMED_PACKET";
const protocolError = "MQTT_PROTOCOL_ERROR";
const unsubscribe = { type: PacketType.unsubscribe, packetIdentifier: 10, properties: {} } as const;
const unsuback = { type: PacketType.unsuback, packetIdentifier: 10, properties: {} } as const;

export const unsubscribeVectors: readonly Vector[] = [
  {
    name: "UNSUBSCRIBE from two filters",
    versions: both3,
    bytes: `a2 0a 000a 0003 "a/b" 0001 "#"`,
    packet: { ...unsubscribe, filters: ["a/b", "#"] },
  },
  {
    name: "UNSUBSCRIBE from two filters, with properties",
    versions: only5,
    bytes: `a2 12 000a 07 26 0001 "k" 0001 "v" 0003 "a/b" 0001 "#"`,
    packet: {
      ...unsubscribe,
      filters: ["a/b", "#"],
      properties: { userProperties: [["k", "v"]] },
    },
  },
  {
    name: "UNSUBSCRIBE sent again, as 3.1 lets DUP say",
    versions: only31,
    bytes: `aa 05 000a 0001 "a"`,
    canonical: false,
    packet: { ...unsubscribe, filters: ["a"] },
  },
  {
    name: "UNSUBACK",
    versions: both3,
    bytes: "b0 02 000a",
    packet: { ...unsuback, reasonCodes: [] },
  },
  {
    name: "5.0 [MQTT-3.11.3-2] UNSUBACK with every reason code",
    versions: only5,
    bytes: "b0 0a 000a 00 00 11 80 83 87 8f 91",
    packet: { ...unsuback, reasonCodes: [0, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91] },
  },
  {
    name: "UNSUBACK with properties",
    versions: only5,
    bytes: `b0 09 000a 05 1f 0002 "no" 87`,
    packet: { ...unsuback, reasonCodes: [0x87], properties: { reasonString: "no" } },
  },
  {
    name: "5.0 [MQTT-3.10.3-2] UNSUBSCRIBE without a filter",
    versions: only5,
    bytes: "a2 03 000a 00",
    error: protocolError,
    because: "no topic filter",
  },
  {
    name: "3.1.1 [MQTT-3.10.3-2] UNSUBSCRIBE without a filter",
    versions: both3,
    bytes: "a2 02 000a",
    error: protocolError,
    because: "no topic filter",
  },
  {
    name: "5.0 [MQTT-2.2.1-3] 3.1.1 [MQTT-2.3.1-1] UNSUBSCRIBE with packet identifier 0",
    versions: all,
    bytes: `a2 05 0000 0001 "a"`,
    error: protocolError,
    because: "packet identifier is 0",
  },
  ...["a0", "a3", "a6", "aa"].map(
    (first): Vector => ({
      name: `5.0 [MQTT-3.10.1-1] 3.1.1 [MQTT-3.10.1-1] UNSUBSCRIBE with the first byte 0x${first}`,
      versions: [4, 5],
      bytes: `${first} 06 000a 00 0001 "a"`,
      error: malformed,
      because: "first byte",
    }),
  ),
  {
    name: "5.0 [MQTT-3.10.3-1] UNSUBSCRIBE with a filter that is no UTF-8",
    versions: only5,
    bytes: "a2 07 000a 00 0002 c1 81",
    error: malformed,
    because: "UTF-8",
  },
  {
    name: "UNSUBSCRIBE with half a filter",
    versions: both3,
    bytes: `a2 05 000a 0002 "a"`,
    error: malformed,
    because: "too early",
  },
  {
    name: "UNSUBACK with a reason code",
    versions: both3,
    bytes: "b0 03 000a 00",
    error: malformed,
    because: "left over",
  },
  {
    name: "5.0 [MQTT-3.11.3-2] UNSUBACK with a code of SUBACK",
    versions: only5,
    bytes: "b0 04 000a 00 01",
    error: protocolError,
    because: "reason code 0x1",
  },
  {
    name: "UNSUBACK without a code",
    versions: only5,
    bytes: "b0 03 000a 00",
    error: protocolError,
    because: "answers no topic filter",
  },
  {
    name: "UNSUBACK with packet identifier 0",
    versions: all,
    bytes: "b0 02 0000",
    error: protocolError,
    because: "packet identifier is 0",
  },
  {
    name: "5.0 [MQTT-2.1.3-1] 3.1.1 [MQTT-2.2.2-2] UNSUBACK with flags in the first byte",
    versions: [4, 5],
    bytes: "b2 02 000a",
    error: malformed,
    because: "first byte",
  },
];
