/**
 * The properties of 5.0 as its table 2-4 has them, written down a second time: `properties.ts` must agree.
 * Beside it one small packet for each place where properties may stand.
 */
import type { ErrorCode } from "../../base/index.ts";
import type { Properties } from "../packets.ts";

export type Place = keyof typeof places;

/** A packet around its properties: `first` byte, `before` the property length, and `after` the properties. */
export const places = {
  connect: { first: "10", before: `0004 "MQTT" 05 02 003c`, after: "0000" },
  will: { first: "10", before: `0004 "MQTT" 05 06 003c 00 0000`, after: `0001 "t" 0000` },
  connack: { first: "20", before: "00 00", after: "" },
  publish: { first: "30", before: `0001 "t"`, after: "" },
  puback: { first: "40", before: "0001 00", after: "" },
  pubrec: { first: "50", before: "0001 00", after: "" },
  pubrel: { first: "62", before: "0001 00", after: "" },
  pubcomp: { first: "70", before: "0001 00", after: "" },
  subscribe: { first: "82", before: "0001", after: `0001 "t" 00` },
  suback: { first: "90", before: "0001", after: "00" },
  unsubscribe: { first: "a2", before: "0001", after: `0001 "t"` },
  unsuback: { first: "b0", before: "0001", after: "00" },
  disconnect: { first: "e0", before: "00", after: "" },
  auth: { first: "f0", before: "18", after: "" },
} as const;

export interface PropertyVector {
  readonly bytes: string;
  readonly properties: Properties;
  readonly allowedIn: string;
  /** Where it may stand twice. */
  readonly repeatsIn?: string;
  /** Values that are not allowed, and what each is refused with. */
  readonly refused?: readonly (readonly [bytes: string, error: ErrorCode])[];
}

const anywhere = Object.keys(places).join(" ");
const protocolError = "MQTT_PROTOCOL_ERROR";
const malformed = "MQTT_MALFORMED_PACKET";
const connackFlag = { allowedIn: "connack" } as const;

// biome-ignore format: a table, one property a line
export const propertyVectors: readonly PropertyVector[] = [
  { bytes: "01 01", properties: { payloadFormatIndicator: 1 }, allowedIn: "publish will", refused: [["01 02", protocolError]] },
  { bytes: "02 ffffffff", properties: { messageExpiryInterval: 4_294_967_295 }, allowedIn: "publish will" },
  { bytes: `03 0002 "ct"`, properties: { contentType: "ct" }, allowedIn: "publish will", refused: [["03 0001 ff", malformed]] },
  { bytes: `08 0003 "r/t"`, properties: { responseTopic: "r/t" }, allowedIn: "publish will", refused: [[`08 0001 "+"`, protocolError], ["08 0000", protocolError]] },
  { bytes: "09 0002 0001", properties: { correlationData: Buffer.from([0, 1]) }, allowedIn: "publish will" },
  { bytes: "0b 8001", properties: { subscriptionIdentifiers: [128] }, allowedIn: "publish subscribe", repeatsIn: "publish", refused: [["0b 00", protocolError], ["0b 8000", malformed], ["0b ffffffff01", malformed]] },
  { bytes: "11 00000000", properties: { sessionExpiryInterval: 0 }, allowedIn: "connect connack disconnect" },
  { bytes: `12 0001 "c"`, properties: { assignedClientIdentifier: "c" }, allowedIn: "connack" },
  { bytes: "13 003c", properties: { serverKeepAlive: 60 }, allowedIn: "connack" },
  { bytes: `15 0001 "m"`, properties: { authenticationMethod: "m" }, allowedIn: "connect connack auth" },
  { bytes: "16 0001 00", properties: { authenticationData: Buffer.from([0]) }, allowedIn: "connect connack auth" },
  { bytes: "17 00", properties: { requestProblemInformation: false }, allowedIn: "connect", refused: [["17 02", protocolError]] },
  { bytes: "18 00000001", properties: { willDelayInterval: 1 }, allowedIn: "will" },
  { bytes: "19 01", properties: { requestResponseInformation: true }, allowedIn: "connect", refused: [["19 02", protocolError]] },
  { bytes: `1a 0001 "i"`, properties: { responseInformation: "i" }, allowedIn: "connack" },
  { bytes: `1c 0001 "s"`, properties: { serverReference: "s" }, allowedIn: "connack disconnect" },
  { bytes: `1f 0001 "r"`, properties: { reasonString: "r" }, allowedIn: "connack puback pubrec pubrel pubcomp suback unsuback disconnect auth" },
  { bytes: "21 ffff", properties: { receiveMaximum: 65_535 }, allowedIn: "connect connack", refused: [["21 0000", protocolError]] },
  { bytes: "22 0000", properties: { topicAliasMaximum: 0 }, allowedIn: "connect connack" },
  { bytes: "23 0001", properties: { topicAlias: 1 }, allowedIn: "publish", refused: [["23 0000", "MQTT_TOPIC_ALIAS_INVALID"]] },
  { bytes: "24 00", properties: { maximumQos: 0 }, allowedIn: "connack", refused: [["24 02", protocolError]] },
  { bytes: "25 01", properties: { retainAvailable: true }, ...connackFlag, refused: [["25 02", protocolError]] },
  { bytes: `26 0001 "k" 0000`, properties: { userProperties: [["k", ""]] }, allowedIn: anywhere, repeatsIn: anywhere, refused: [["26 0001 00 0000", malformed], ["26 0000 0001 80", malformed]] },
  { bytes: "27 00000001", properties: { maximumPacketSize: 1 }, allowedIn: "connect connack", refused: [["27 00000000", protocolError]] },
  { bytes: "28 00", properties: { wildcardSubscriptionAvailable: false }, ...connackFlag, refused: [["28 ff", protocolError]] },
  { bytes: "29 01", properties: { subscriptionIdentifiersAvailable: true }, ...connackFlag, refused: [["29 02", protocolError]] },
  { bytes: "2a 00", properties: { sharedSubscriptionAvailable: false }, ...connackFlag, refused: [["2a 02", protocolError]] },
];

/** What no table has: identifiers without a meaning, among them one of two bytes and one written too long. */
export const unknownProperties: readonly string[] = [
  "00 00",
  "04 00",
  "2b 00",
  "7f 00",
  "8101 00",
  "8200 00",
];
