/** CONNECT as nobody may send it: 5.0 and 3.1.1, section 3.1. */
import { all, only5, only31, only311, type Vector } from "./vector.ts";

const malformed = "MQTT_MALFORMED_PACKET";
const protocolError = "MQTT_PROTOCOL_ERROR";
const unsupported = "MQTT_UNSUPPORTED_VERSION";

const otherProtocols: readonly Vector[] = [
  {
    name: "5.0 [MQTT-3.1.2-1] 3.1.1 [MQTT-3.1.2-1] another protocol name",
    versions: all,
    bytes: `10 0d 0004 "MQTS" 05 02 003c 00 0000`,
    error: malformed,
    because: "protocol name",
  },
  {
    name: "5.0 [MQTT-3.1.2-1] 3.1.1 [MQTT-3.1.2-1] the protocol name in lower case",
    versions: all,
    bytes: `10 0c 0004 "mqtt" 04 02 003c 0000`,
    error: malformed,
    because: "protocol name",
  },
  ...[
    { level: "06", name: "5.0 [MQTT-3.1.2-2] 3.1.1 [MQTT-3.1.2-2] a later protocol level" },
    { level: "02", name: "5.0 [MQTT-3.1.2-2] 3.1.1 [MQTT-3.1.2-2] an earlier protocol level" },
    { level: "03", name: "the level of 3.1 under the name of its successors" },
    { level: "84", name: "3.1.1 with the bit of mosquitto's bridges" },
  ].map(
    ({ level, name }): Vector => ({
      name,
      versions: all,
      bytes: `10 0c 0004 "MQTT" ${level} 02 003c 0000`,
      error: unsupported,
      because: `protocol level ${Number.parseInt(level, 16)}`,
    }),
  ),
  {
    name: "the level of 3.1.1 under the name of 3.1",
    versions: all,
    bytes: `10 0f 0006 "MQIsdp" 04 02 003c 0001 "a"`,
    error: unsupported,
    because: "protocol level 4",
  },
];

const refusedFlags: readonly Vector[] = [
  {
    name: "5.0, the reserved connect flag [MQTT-3.1.2-3]",
    versions: only5,
    bytes: `10 0d 0004 "MQTT" 05 03 003c 00 0000`,
    error: malformed,
    because: "reserved connect flag",
  },
  {
    name: "3.1.1, the reserved connect flag [MQTT-3.1.2-3]",
    versions: only311,
    bytes: `10 0c 0004 "MQTT" 04 03 003c 0000`,
    error: malformed,
    because: "reserved connect flag",
  },
  {
    name: "5.0 [MQTT-2.1.3-1] flags in the first byte",
    versions: only5,
    bytes: `11 0d 0004 "MQTT" 05 02 003c 00 0000`,
    error: malformed,
    because: "first byte",
  },
  {
    name: "3.1.1, flags in the first byte [MQTT-2.2.2-2]",
    versions: only311,
    bytes: `18 0c 0004 "MQTT" 04 02 003c 0000`,
    error: malformed,
    because: "first byte",
  },
  {
    name: "5.0 [MQTT-3.1.2-11] a QoS for no will",
    versions: only5,
    bytes: `10 0d 0004 "MQTT" 05 0a 003c 00 0000`,
    error: malformed,
    because: "no will",
  },
  {
    name: "3.1.1, a QoS for no will [MQTT-3.1.2-13]",
    versions: only311,
    bytes: `10 0c 0004 "MQTT" 04 12 003c 0000`,
    error: malformed,
    because: "no will",
  },
  {
    name: "5.0 [MQTT-3.1.2-13] a retain flag for no will",
    versions: only5,
    bytes: `10 0d 0004 "MQTT" 05 22 003c 00 0000`,
    error: malformed,
    because: "no will",
  },
  {
    name: "3.1.1, a retain flag for no will [MQTT-3.1.2-15]",
    versions: only311,
    bytes: `10 0c 0004 "MQTT" 04 22 003c 0000`,
    error: malformed,
    because: "no will",
  },
  {
    name: "5.0 [MQTT-3.1.2-12] a will of QoS 3",
    versions: only5,
    bytes: `10 13 0004 "MQTT" 05 1e 003c 00 0000 00 0001 "w" 0000`,
    error: malformed,
    because: "QoS is 3",
  },
  {
    name: "3.1.1, a will of QoS 3 [MQTT-3.1.2-14]",
    versions: only311,
    bytes: `10 11 0004 "MQTT" 04 1e 003c 0000 0001 "w" 0000`,
    error: malformed,
    because: "QoS is 3",
  },
  {
    name: "3.1, a will of QoS 3",
    versions: only31,
    bytes: `10 14 0006 "MQIsdp" 03 1e 003c 0001 "a" 0001 "w" 0000`,
    error: malformed,
    because: "QoS is 3",
  },
  {
    name: "3.1.1, a password without a user name [MQTT-3.1.2-22]",
    versions: only311,
    bytes: `10 0f 0004 "MQTT" 04 42 003c 0000 0001 "p"`,
    error: malformed,
    because: "no user name",
  },
  {
    name: "3.1, a password without a user name",
    versions: only31,
    bytes: `10 12 0006 "MQIsdp" 03 42 003c 0001 "a" 0001 "p"`,
    error: malformed,
    because: "no user name",
  },
];

const refusedFields: readonly Vector[] = [
  {
    name: "5.0 [MQTT-3.1.3-3] no client identifier",
    versions: only5,
    bytes: `10 0b 0004 "MQTT" 05 02 003c 00`,
    error: malformed,
    because: "too early",
  },
  {
    name: "3.1.1 [MQTT-3.1.3-4] a client identifier that is no UTF-8",
    versions: only311,
    bytes: `10 0d 0004 "MQTT" 04 02 003c 0001 ff`,
    error: malformed,
    because: "UTF-8",
  },
  {
    name: "3.1.1 [MQTT-3.1.2-9] a will flag without a will",
    versions: only311,
    bytes: `10 0c 0004 "MQTT" 04 06 003c 0000`,
    error: malformed,
    because: "too early",
  },
  {
    name: "3.1.1 [MQTT-3.1.2-19] a user name flag without a user name",
    versions: only311,
    bytes: `10 0c 0004 "MQTT" 04 82 003c 0000`,
    error: malformed,
    because: "too early",
  },
  {
    name: "5.0 [MQTT-3.1.2-19] a password flag without a password",
    versions: only5,
    bytes: `10 10 0004 "MQTT" 05 c2 003c 00 0000 0001 "u"`,
    error: malformed,
    because: "too early",
  },
  {
    name: "3.1.1 [MQTT-3.1.2-18] a user name that no flag announces",
    versions: only311,
    bytes: `10 0f 0004 "MQTT" 04 02 003c 0000 0001 "u"`,
    error: malformed,
    because: "left over",
  },
  {
    name: "5.0 [MQTT-3.1.2-18] a password that no flag announces",
    versions: only5,
    bytes: `10 13 0004 "MQTT" 05 82 003c 00 0000 0001 "u" 0001 "p"`,
    error: malformed,
    because: "left over",
  },
  {
    name: "5.0 [MQTT-3.1.3-12] a user name that is no UTF-8",
    versions: only5,
    bytes: `10 11 0004 "MQTT" 05 82 003c 00 0000 0002 c0 80`,
    error: malformed,
    because: "UTF-8",
  },
  {
    name: "5.0 [MQTT-3.1.3-11] a will topic that is no UTF-8",
    versions: only5,
    bytes: `10 15 0004 "MQTT" 05 06 003c 00 0000 00 0003 eda080 0000`,
    error: malformed,
    because: "UTF-8",
  },
  {
    name: "3.1.1 [MQTT-4.7.1-1] a will topic with a wildcard",
    versions: only311,
    bytes: `10 13 0004 "MQTT" 04 06 003c 0000 0003 "a/#" 0000`,
    error: "MQTT_TOPIC_NAME_INVALID",
    because: "wildcard",
  },
  {
    name: "5.0 [MQTT-4.7.3-1] an empty will topic",
    versions: only5,
    bytes: `10 12 0004 "MQTT" 05 06 003c 00 0000 00 0000 0000`,
    error: "MQTT_TOPIC_NAME_INVALID",
    because: "empty",
  },
  {
    name: "authentication data without an authentication method",
    versions: only5,
    bytes: `10 11 0004 "MQTT" 05 02 003c 04 16 0001 00 0000`,
    error: protocolError,
    because: "no authentication method",
  },
  {
    name: "a property length beyond the packet",
    versions: only5,
    bytes: `10 0d 0004 "MQTT" 05 02 003c 7f 0000`,
    error: malformed,
    because: "too early",
  },
  {
    name: "5.0 without a property length [MQTT-2.2.2-1]",
    versions: only5,
    bytes: `10 0a 0004 "MQTT" 05 02 003c`,
    error: malformed,
    because: "too early",
  },
];

export const refusedConnectVectors: readonly Vector[] = [
  ...otherProtocols,
  ...refusedFlags,
  ...refusedFields,
];
