/** PUBACK, PUBREC, PUBREL and PUBCOMP: 5.0 and 3.1.1, sections 3.4 to 3.7. One table, four times. */
import type { ReasonCode } from "../../base/index.ts";
import { type AcknowledgementPacket, PacketType } from "../packets.ts";
import { all, both3, only5, only31, only311, type Vector } from "./vector.ts";

const malformed = "MQTT_MALFORMED_PACKET";
const protocolError = "MQTT_PROTOCOL_ERROR";

interface Kind {
  readonly title: string;
  readonly type: AcknowledgementPacket["type"];
  /** The first byte as it must be, and as it must not be. */
  readonly first: string;
  readonly wrongFirst: string;
  readonly flagsClause: string;
  readonly codesClause: string;
  readonly allowed: readonly ReasonCode[];
  readonly notAllowed: readonly number[];
}

const answersToPublish = [0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99] as const;
const kinds: readonly Kind[] = [
  {
    title: "PUBACK",
    type: PacketType.puback,
    first: "40",
    wrongFirst: "42",
    flagsClause: "5.0 [MQTT-2.1.3-1]",
    codesClause: "5.0 [MQTT-3.4.2-1]",
    allowed: answersToPublish,
    notAllowed: [0x01, 0x11, 0x81, 0x92, 0xff],
  },
  {
    title: "PUBREC",
    type: PacketType.pubrec,
    first: "50",
    wrongFirst: "58",
    flagsClause: "5.0 [MQTT-2.1.3-1]",
    codesClause: "5.0 [MQTT-3.5.2-1]",
    allowed: answersToPublish,
    notAllowed: [0x02, 0x82, 0x92, 0xa2],
  },
  {
    title: "PUBREL",
    type: PacketType.pubrel,
    first: "62",
    wrongFirst: "60",
    flagsClause: "5.0 [MQTT-3.6.1-1]",
    codesClause: "5.0 [MQTT-3.6.2-1]",
    allowed: [0x92],
    notAllowed: [0x10, 0x80, 0x91],
  },
  {
    title: "PUBCOMP",
    type: PacketType.pubcomp,
    first: "70",
    wrongFirst: "71",
    flagsClause: "5.0 [MQTT-2.1.3-1]",
    codesClause: "5.0 [MQTT-3.7.2-1]",
    allowed: [0x92],
    notAllowed: [0x10, 0x80, 0x97],
  },
];

function hexadecimal(code: number): string {
  return code.toString(16).padStart(2, "0");
}

function acceptedOf({ title, type, first, codesClause, allowed }: Kind): readonly Vector[] {
  const plain = { type, packetIdentifier: 10, reasonCode: 0, properties: {} } as const;
  return [
    {
      name: `${title}, two bytes`,
      versions: all,
      bytes: `${first} 02 000a`,
      packet: plain,
    },
    {
      name: `${title} with the success that it need not name`,
      versions: only5,
      bytes: `${first} 03 000a 00`,
      canonical: false,
      packet: plain,
    },
    {
      name: `${title} with an empty property length`,
      versions: only5,
      bytes: `${first} 04 000a 00 00`,
      canonical: false,
      packet: plain,
    },
    {
      name: `${title} with properties`,
      versions: only5,
      bytes: `${first} 10 000a 00 0c 1f 0002 "no" 26 0001 "k" 0001 "v"`,
      packet: { ...plain, properties: { reasonString: "no", userProperties: [["k", "v"]] } },
    },
    ...allowed.map(
      (reasonCode): Vector => ({
        name: `${title} with reason code 0x${hexadecimal(reasonCode)} ${codesClause}`,
        versions: only5,
        bytes: `${first} 03 000a ${hexadecimal(reasonCode)}`,
        packet: { ...plain, reasonCode } as AcknowledgementPacket,
      }),
    ),
  ];
}

function refusedOf(kind: Kind): readonly Vector[] {
  const { title, type, first, wrongFirst, flagsClause, codesClause, notAllowed } = kind;
  return [
    {
      name: `${flagsClause} ${title} with other flags`,
      versions: only5,
      bytes: `${wrongFirst} 02 000a`,
      error: malformed,
      because: "first byte",
    },
    {
      name: `3.1.1 [MQTT-2.2.2-2] ${title} with other flags`,
      versions: only311,
      bytes: `${wrongFirst} 02 000a`,
      error: malformed,
      because: "first byte",
    },
    {
      name: `${title} with other flags, which 3.1 does not use`,
      versions: only31,
      bytes: `${wrongFirst} 02 000a`,
      canonical: false,
      packet: { type, packetIdentifier: 10, reasonCode: 0, properties: {} },
    },
    {
      name: `${title} with packet identifier 0`,
      versions: all,
      bytes: `${first} 02 0000`,
      error: protocolError,
      because: "packet identifier is 0",
    },
    {
      name: `${title} without a packet identifier`,
      versions: all,
      bytes: `${first} 01 00`,
      error: malformed,
      because: "too early",
    },
    {
      name: `${title} with a reason code`,
      versions: both3,
      bytes: `${first} 03 000a 00`,
      error: malformed,
      because: "left over",
    },
    {
      name: `${title} with bytes after the end`,
      versions: only5,
      bytes: `${first} 05 000a 00 00 00`,
      error: malformed,
      because: "left over",
    },
    ...notAllowed.map(
      (code): Vector => ({
        name: `${title} with reason code 0x${hexadecimal(code)} ${codesClause}`,
        versions: only5,
        bytes: `${first} 03 000a ${hexadecimal(code)}`,
        error: protocolError,
        because: `reason code 0x${code.toString(16)}`,
      }),
    ),
  ];
}

export const acknowledgementVectors: readonly Vector[] = kinds.flatMap((kind) => [
  ...acceptedOf(kind),
  ...refusedOf(kind),
]);
