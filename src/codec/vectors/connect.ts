/** CONNECT: 5.0 and 3.1.1, section 3.1. */

import { PacketType, ProtocolVersion } from "../packets.ts";
import { refusedConnectVectors } from "./connect-refused.ts";
import { all, only5, only31, only311, type Vector } from "./vector.ts";

const { v3_1, v3_1_1, v5 } = ProtocolVersion;
const type = PacketType.connect;

const accepted: readonly Vector[] = [
  {
    name: "5.0, the least that a client can say",
    versions: all,
    bytes: `10 0d 0004 "MQTT" 05 02 003c 00 0000`,
    packet: {
      type,
      protocolVersion: v5,
      cleanStart: true,
      keepAliveSeconds: 60,
      clientIdentifier: "",
      properties: {},
    },
  },
  {
    name: "3.1.1, the least that a client can say",
    versions: all,
    bytes: `10 0c 0004 "MQTT" 04 00 0000 0000`,
    packet: {
      type,
      protocolVersion: v3_1_1,
      cleanStart: false,
      keepAliveSeconds: 0,
      clientIdentifier: "",
      properties: {},
    },
  },
  {
    name: "3.1 under its own name",
    versions: all,
    bytes: `10 0f 0006 "MQIsdp" 03 02 ffff 0001 "a"`,
    packet: {
      type,
      protocolVersion: v3_1,
      cleanStart: true,
      keepAliveSeconds: 65_535,
      clientIdentifier: "a",
      properties: {},
    },
  },
  {
    name: "3.1.1 [MQTT-3.1.2-9] [MQTT-3.1.2-19] [MQTT-3.1.2-21] with every field",
    versions: only311,
    bytes: `10 23 0004 "MQTT" 04 f6 000a 0003 "cli" 0003 "t/w" 0002 "by" 0004 "user" 0003 00ff01`,
    packet: {
      type,
      protocolVersion: v3_1_1,
      cleanStart: true,
      keepAliveSeconds: 10,
      clientIdentifier: "cli",
      will: {
        topic: "t/w",
        payload: Buffer.from("by"),
        qos: 2,
        retain: true,
        properties: {},
      },
      userName: "user",
      password: Buffer.from("00ff01", "hex"),
      properties: {},
    },
  },
  {
    name: "3.1 with every field",
    versions: only31,
    bytes: `10 23 0006 "MQIsdp" 03 ce 000a 0003 "cli" 0003 "t/w" 0002 "by" 0004 "user" 0001 "p"`,
    packet: {
      type,
      protocolVersion: v3_1,
      cleanStart: true,
      keepAliveSeconds: 10,
      clientIdentifier: "cli",
      will: { topic: "t/w", payload: Buffer.from("by"), qos: 1, retain: false, properties: {} },
      userName: "user",
      password: Buffer.from("p"),
      properties: {},
    },
  },
  {
    name: "5.0 [MQTT-3.1.3-1] with every field in order, and properties in both places",
    versions: only5,
    bytes: `10 34 0004 "MQTT" 05 f4 000a 05 11 00000e10 0003 "cli"
      05 18 00000005 0003 "t/w" 0002 "by" 0004 "user" 0008 "password"`,
    packet: {
      type,
      protocolVersion: v5,
      cleanStart: false,
      keepAliveSeconds: 10,
      clientIdentifier: "cli",
      will: {
        topic: "t/w",
        payload: Buffer.from("by"),
        qos: 2,
        retain: true,
        properties: { willDelayInterval: 5 },
      },
      userName: "user",
      password: Buffer.from("password"),
      properties: { sessionExpiryInterval: 3600 },
    },
  },
  {
    name: "5.0, a password without a user name",
    versions: only5,
    bytes: `10 10 0004 "MQTT" 05 42 003c 00 0000 0001 "p"`,
    packet: {
      type,
      protocolVersion: v5,
      cleanStart: true,
      keepAliveSeconds: 60,
      clientIdentifier: "",
      password: Buffer.from("p"),
      properties: {},
    },
  },
  {
    name: "a user name without a password, and an empty will",
    versions: only311,
    bytes: `10 14 0004 "MQTT" 04 86 003c 0000 0001 "w" 0000 0001 "u"`,
    packet: {
      type,
      protocolVersion: v3_1_1,
      cleanStart: true,
      keepAliveSeconds: 60,
      clientIdentifier: "",
      will: { topic: "w", payload: Buffer.alloc(0), qos: 0, retain: false, properties: {} },
      userName: "u",
      properties: {},
    },
  },
];

const tolerated: readonly Vector[] = [
  {
    name: "3.1: flags for user name and password whose fields are missing, as its forerunner sends",
    versions: only31,
    bytes: `10 0f 0006 "MQIsdp" 03 c2 003c 0001 "a"`,
    canonical: false,
    packet: {
      type,
      protocolVersion: v3_1,
      cleanStart: true,
      keepAliveSeconds: 60,
      clientIdentifier: "a",
      properties: {},
    },
  },
  {
    name: "3.1: will QoS, will retain and the reserved flag are disregarded where there is no will",
    versions: only31,
    bytes: `10 0f 0006 "MQIsdp" 03 2b 003c 0001 "a"`,
    canonical: false,
    packet: {
      type,
      protocolVersion: v3_1,
      cleanStart: true,
      keepAliveSeconds: 60,
      clientIdentifier: "a",
      properties: {},
    },
  },
  {
    name: "3.1: the flags of the first byte are not used",
    versions: only31,
    bytes: `1a 0f 0006 "MQIsdp" 03 02 003c 0001 "a"`,
    canonical: false,
    packet: {
      type,
      protocolVersion: v3_1,
      cleanStart: true,
      keepAliveSeconds: 60,
      clientIdentifier: "a",
      properties: {},
    },
  },
];

export const connectVectors: readonly Vector[] = [
  ...accepted,
  ...tolerated,
  ...refusedConnectVectors,
];
