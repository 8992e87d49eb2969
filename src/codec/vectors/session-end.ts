/** PINGREQ, PINGRESP, DISCONNECT and AUTH: 5.0 and 3.1.1, sections 3.12 to 3.15. */
import type { ReasonCode } from "../../base/index.ts";
import { PacketType } from "../packets.ts";
import { all, both3, only5, only31, only311, since311, type Vector } from "./vector.ts";

const malformed = "MQTT_MALFORMED_PACKET";
const protocolError = "MQTT_PROTOCOL_ERROR";
const disconnect = { type: PacketType.disconnect, reasonCode: 0, properties: {} } as const;
const disconnectCodes: readonly ReasonCode[] = [
  0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95,
  0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
];

function hexadecimal(code: number): string {
  return code.toString(16).padStart(2, "0");
}

const pings: readonly Vector[] = [
  { name: "PINGREQ", versions: all, bytes: "c0 00", packet: { type: PacketType.pingreq } },
  { name: "PINGRESP", versions: all, bytes: "d0 00", packet: { type: PacketType.pingresp } },
  {
    name: "PINGREQ with flags, which 3.1 does not use",
    versions: only31,
    bytes: "c2 00",
    canonical: false,
    packet: { type: PacketType.pingreq },
  },
  ...["c1", "d8"].map(
    (first): Vector => ({
      name: `5.0 [MQTT-2.1.3-1] 3.1.1 [MQTT-2.2.2-2] the first byte 0x${first}`,
      versions: since311,
      bytes: `${first} 00`,
      error: malformed,
      because: "first byte",
    }),
  ),
  ...["c0", "d0"].map(
    (first): Vector => ({
      name: `a ping of first byte 0x${first} with a body`,
      versions: all,
      bytes: `${first} 01 00`,
      error: malformed,
      because: "left over",
    }),
  ),
];

const disconnects: readonly Vector[] = [
  { name: "DISCONNECT, two bytes", versions: all, bytes: "e0 00", packet: disconnect },
  {
    name: "DISCONNECT with the success that it need not name",
    versions: only5,
    bytes: "e0 01 00",
    canonical: false,
    packet: disconnect,
  },
  ...disconnectCodes.map(
    (reasonCode): Vector => ({
      name: `5.0 [MQTT-3.14.2-1] DISCONNECT with reason code 0x${hexadecimal(reasonCode)}`,
      versions: only5,
      bytes: `e0 01 ${hexadecimal(reasonCode)}`,
      packet: { ...disconnect, reasonCode },
    }),
  ),
  {
    name: "DISCONNECT with an empty property length",
    versions: only5,
    bytes: "e0 02 04 00",
    canonical: false,
    packet: { ...disconnect, reasonCode: 4 },
  },
  {
    name: "DISCONNECT with properties",
    versions: only5,
    bytes: `e0 18 9c 16 11 00000001 1c 0002 "s2" 1f 0002 "go" 26 0001 "k" 0001 "v"`,
    packet: {
      ...disconnect,
      reasonCode: 0x9c,
      properties: {
        sessionExpiryInterval: 1,
        serverReference: "s2",
        reasonString: "go",
        userProperties: [["k", "v"]],
      },
    },
  },
  ...[0x01, 0x18, 0x84, 0x86, 0x91].map(
    (code): Vector => ({
      name: `5.0 [MQTT-3.14.2-1] DISCONNECT with reason code 0x${hexadecimal(code)}`,
      versions: only5,
      bytes: `e0 01 ${hexadecimal(code)}`,
      error: protocolError,
      because: `reason code 0x${code.toString(16)}`,
    }),
  ),
  {
    name: "5.0 [MQTT-3.14.1-1] 3.1.1 [MQTT-3.14.1-1] DISCONNECT with flags in the first byte",
    versions: since311,
    bytes: "e1 00",
    error: malformed,
    because: "first byte",
  },
  {
    name: "DISCONNECT with a reason code",
    versions: both3,
    bytes: "e0 01 00",
    error: malformed,
    because: "left over",
  },
  {
    name: "DISCONNECT with bytes after the end",
    versions: only5,
    bytes: "e0 03 00 00 00",
    error: malformed,
    because: "left over",
  },
];

const auths: readonly Vector[] = [
  {
    name: "AUTH, two bytes",
    versions: only5,
    bytes: "f0 00",
    packet: { type: PacketType.auth, reasonCode: 0, properties: {} },
  },
  ...([0x00, 0x18, 0x19] as const).map(
    (reasonCode): Vector => ({
      name: `5.0 [MQTT-3.15.2-1] AUTH with reason code 0x${hexadecimal(reasonCode)}`,
      versions: only5,
      bytes: `f0 0b ${hexadecimal(reasonCode)} 09 15 0001 "m" 16 0002 00ff`,
      packet: {
        type: PacketType.auth,
        reasonCode,
        properties: {
          authenticationMethod: "m",
          authenticationData: Buffer.from("00ff", "hex"),
        },
      },
    }),
  ),
  {
    name: "5.0 [MQTT-3.15.2-1] AUTH with another reason code",
    versions: only5,
    bytes: `f0 06 80 04 15 0001 "m"`,
    error: protocolError,
    because: "reason code 0x80",
  },
  {
    name: "AUTH without a method",
    versions: only5,
    bytes: "f0 02 18 00",
    error: protocolError,
    because: "no authentication method",
  },
  {
    name: "AUTH with data and no method",
    versions: only5,
    bytes: "f0 06 18 04 16 0001 00",
    error: protocolError,
    because: "no authentication method",
  },
  {
    name: "5.0 [MQTT-2.2.2-1] AUTH with a reason code and no property length",
    versions: only5,
    bytes: "f0 01 18",
    error: malformed,
    because: "too early",
  },
  {
    name: "5.0 [MQTT-3.15.1-1] AUTH with flags in the first byte",
    versions: only5,
    bytes: "f2 00",
    error: malformed,
    because: "first byte",
  },
  {
    name: "AUTH with bytes after the end",
    versions: only5,
    bytes: `f0 07 18 04 15 0001 "m" 00`,
    error: malformed,
    because: "left over",
  },
  {
    name: "AUTH in 3.1.1",
    versions: only311,
    bytes: "f0 00",
    error: malformed,
    because: "not 5.0",
  },
  { name: "AUTH in 3.1", versions: only31, bytes: "f0 00", error: malformed, because: "not 5.0" },
];

export const sessionEndVectors: readonly Vector[] = [...pings, ...disconnects, ...auths];
