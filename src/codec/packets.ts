/**
 * The packets of MQTT 3.1, 3.1.1 and 5.0 as plain data, in the standard's words.
 * `properties` is always there; for 3.x packets it is empty.
 */
import type { ReasonCode } from "../base/index.ts";

/** The protocol level byte of CONNECT: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0. */
export const ProtocolVersion = { v3_1: 3, v3_1_1: 4, v5: 5 } as const;
export type ProtocolVersion = (typeof ProtocolVersion)[keyof typeof ProtocolVersion];

export type QoS = 0 | 1 | 2;

/** The upper four bits of the first byte (5.0, section 2.1.2). */
export const PacketType = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  unsubscribe: 10,
  unsuback: 11,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
  auth: 15,
} as const;
export type PacketType = (typeof PacketType)[keyof typeof PacketType];

/** The properties of MQTT 5.0 (section 2.2.2.2); an absent one was not sent. */
export interface Properties {
  payloadFormatIndicator?: 0 | 1;
  messageExpiryInterval?: number;
  contentType?: string;
  responseTopic?: string;
  correlationData?: Uint8Array;
  /** PUBLISH may hold several, in any order; SUBSCRIBE one at most. 1 to 268,435,455. */
  subscriptionIdentifiers?: number[];
  sessionExpiryInterval?: number;
  assignedClientIdentifier?: string;
  serverKeepAlive?: number;
  authenticationMethod?: string;
  authenticationData?: Uint8Array;
  requestProblemInformation?: boolean;
  willDelayInterval?: number;
  requestResponseInformation?: boolean;
  responseInformation?: string;
  serverReference?: string;
  reasonString?: string;
  receiveMaximum?: number;
  topicAliasMaximum?: number;
  topicAlias?: number;
  maximumQos?: 0 | 1;
  retainAvailable?: boolean;
  /** In the order in which they came; names may repeat. */
  userProperties?: [name: string, value: string][];
  maximumPacketSize?: number;
  wildcardSubscriptionAvailable?: boolean;
  subscriptionIdentifiersAvailable?: boolean;
  sharedSubscriptionAvailable?: boolean;
}

export interface WillMessage {
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  retain: boolean;
  properties: Properties;
}

export interface ConnectPacket {
  type: typeof PacketType.connect;
  protocolVersion: ProtocolVersion;
  /** Clean Session in 3.x. */
  cleanStart: boolean;
  keepAliveSeconds: number;
  clientIdentifier: string;
  will?: WillMessage;
  userName?: string;
  password?: Uint8Array;
  properties: Properties;
}

export interface ConnackPacket {
  type: typeof PacketType.connack;
  sessionPresent: boolean;
  /** A `ReasonCode` in 5.0, a `ConnectReturnCode` in 3.x. */
  reasonCode: number;
  properties: Properties;
}

export interface PublishPacket {
  type: typeof PacketType.publish;
  /** Empty when only the topic alias names it (5.0). */
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  retain: boolean;
  dup: boolean;
  /** Present for QoS 1 and 2. */
  packetIdentifier?: number;
  properties: Properties;
}

interface Acknowledgement {
  packetIdentifier: number;
  /** Always 0 in 3.x. */
  reasonCode: ReasonCode;
  properties: Properties;
}
export interface PubackPacket extends Acknowledgement {
  type: typeof PacketType.puback;
}
export interface PubrecPacket extends Acknowledgement {
  type: typeof PacketType.pubrec;
}
export interface PubrelPacket extends Acknowledgement {
  type: typeof PacketType.pubrel;
}
export interface PubcompPacket extends Acknowledgement {
  type: typeof PacketType.pubcomp;
}
export type AcknowledgementPacket = PubackPacket | PubrecPacket | PubrelPacket | PubcompPacket;

export interface SubscriptionRequest {
  filter: string;
  qos: QoS;
  /** The three options below are 5.0; false, false and 0 in 3.x. */
  noLocal: boolean;
  retainAsPublished: boolean;
  retainHandling: 0 | 1 | 2;
}

export interface SubscribePacket {
  type: typeof PacketType.subscribe;
  packetIdentifier: number;
  subscriptions: SubscriptionRequest[];
  properties: Properties;
}

export interface SubackPacket {
  type: typeof PacketType.suback;
  packetIdentifier: number;
  /** One for each subscription asked for, in the same order: the granted QoS or a failure. */
  reasonCodes: number[];
  properties: Properties;
}

export interface UnsubscribePacket {
  type: typeof PacketType.unsubscribe;
  packetIdentifier: number;
  filters: string[];
  properties: Properties;
}

export interface UnsubackPacket {
  type: typeof PacketType.unsuback;
  packetIdentifier: number;
  /** One for each filter in 5.0; empty in 3.x, whose UNSUBACK has none. */
  reasonCodes: number[];
  properties: Properties;
}

export interface PingreqPacket {
  type: typeof PacketType.pingreq;
}
export interface PingrespPacket {
  type: typeof PacketType.pingresp;
}

export interface DisconnectPacket {
  type: typeof PacketType.disconnect;
  /** Always 0 in 3.x. */
  reasonCode: ReasonCode;
  properties: Properties;
}

/** Only 5.0. */
export interface AuthPacket {
  type: typeof PacketType.auth;
  reasonCode: ReasonCode;
  properties: Properties;
}

export type Packet =
  | ConnectPacket
  | ConnackPacket
  | PublishPacket
  | PubackPacket
  | PubrecPacket
  | PubrelPacket
  | PubcompPacket
  | SubscribePacket
  | SubackPacket
  | UnsubscribePacket
  | UnsubackPacket
  | PingreqPacket
  | PingrespPacket
  | DisconnectPacket
  | AuthPacket;
