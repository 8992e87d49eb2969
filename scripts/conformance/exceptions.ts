/**
 * Statements that have no line of code, no test, or neither, and why. A statement that is covered after all must leave
 * this table; `test/house/conformance.test.ts` sees to it.
 */
import type { Standard } from "./statements.ts";

export interface Exception {
  readonly standard: Standard;
  readonly clause: string;
  readonly missing: "code" | "test" | "both";
  readonly reason: string;
}

const everyQos = "The broker supports every QoS:";

export const exceptions: readonly Exception[] = [
  {
    standard: "3.1.1",
    clause: "MQTT-7.0.0-1",
    missing: "both",
    reason: "The broker makes no connections to other servers: it has no bridges.",
  },
  {
    standard: "3.1.1",
    clause: "MQTT-7.0.0-2",
    missing: "code",
    reason: "Fulfilled by what is not there: no client is asked for more than the standard has.",
  },
  {
    standard: "3.1.1",
    clause: "MQTT-7.1.2-1",
    missing: "both",
    reason: "Binds clients alone; what a server owes is MQTT-7.1.1-1.",
  },
  {
    standard: "5.0",
    clause: "MQTT-3.2.2-9",
    missing: "both",
    reason: `${everyQos} CONNACK without a Maximum QoS says QoS 2, and no other is ever sent.`,
  },
  {
    standard: "5.0",
    clause: "MQTT-3.2.2-10",
    missing: "both",
    reason: `${everyQos} SUBSCRIBE is never held to a lower one.`,
  },
  {
    standard: "5.0",
    clause: "MQTT-3.2.2-12",
    missing: "both",
    reason: `${everyQos} no will's QoS exceeds what it can do.`,
  },
  {
    standard: "5.0",
    clause: "MQTT-3.2.2-13",
    missing: "both",
    reason:
      "The broker always supports retained messages, so it refuses no will for its retain flag.",
  },
  {
    standard: "5.0",
    clause: "MQTT-3.3.2-10",
    missing: "both",
    reason:
      "Binds clients alone. The server's half, MQTT-3.3.2-11: no alias beyond the client's maximum is sent.",
  },
  {
    standard: "5.0",
    clause: "MQTT-3.3.4-8",
    missing: "both",
    reason: "Binds clients alone, though the list says Server; the server's half is MQTT-3.3.4-10.",
  },
];
