/**
 * What becomes of a message on its way to the other broker: its topic, its QoS, and the trace that keeps messages from
 * going round in circles. Pure.
 *
 * Every bridge adds its name to the message, as the user property `tstack-via` of MQTT 5.0. A message that has the
 * bridge's own name is left out; one that passed more bridges than anybody builds is refused, so that every circle ends
 * also where its bridges have names that differ each time. MQTT 3.1.1 has no place for a trace.
 */

import { toVisible } from "../../base/index.ts";
import type { ConsumedMessage } from "../../readings/index.ts";
import type { MappedMessage } from "../sink.ts";

export interface Forwarding {
  readonly strip: string;
  readonly add: string;
  /** Undefined: as it came, and at least 1, so that its arrival is known. */
  readonly qos: 0 | 1 | 2 | undefined;
  readonly keepsRetain: boolean;
  /** The name of this bridge in the trace. */
  readonly bridge: string;
}

/** What the other broker said it can do. */
export interface Abilities {
  readonly version: 4 | 5;
  readonly maximumQos: 0 | 1 | 2;
  readonly retainAvailable: boolean;
  readonly maximumPacketBytes: number;
}

export interface Outgoing {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** Undefined before MQTT 5.0. */
  readonly properties:
    | {
        readonly contentType?: string;
        readonly responseTopic?: string;
        readonly correlationData?: Buffer;
        readonly userProperties: Record<string, string | string[]>;
      }
    | undefined;
}

export type Verdict =
  | { readonly kind: "send"; readonly outgoing: Outgoing }
  | { readonly kind: "loop" }
  | { readonly kind: "refuse"; readonly reason: string };

export const traceProperty = "tstack-via";
const bridgesMax = 16;
const topicBytesMax = 65_535;
/** Type, remaining length and packet identifier, the length of the properties: the most that they take. */
const frameBytes = 1 + 4 + 2 + 4;

export const fullAbilities: Abilities = {
  version: 5,
  maximumQos: 2,
  retainAvailable: true,
  maximumPacketBytes: Number.POSITIVE_INFINITY,
};

export function forward(
  message: ConsumedMessage,
  forwarding: Forwarding,
  abilities: Abilities,
): Verdict {
  const trace = traceOf(message);
  if (trace.includes(forwarding.bridge)) return { kind: "loop" };
  if (trace.length >= bridgesMax) {
    const names = trace.slice(-3).join(", ");
    return refuse(`it passed ${bridgesMax} bridges, the last of them ${names}: they form a circle`);
  }
  const topic = moveTopic(message.topic, forwarding);
  if (topic === "") return refuse("--mqtt-strip leaves nothing of its topic");
  if (Buffer.byteLength(topic) > topicBytesMax) {
    return refuse(`with --mqtt-add its topic is longer than ${topicBytesMax} bytes`);
  }
  const qos = forwarding.qos ?? Math.max(message.qos, 1);
  const outgoing: Outgoing = {
    topic,
    payload: message.payload,
    qos: Math.min(qos, abilities.maximumQos) as 0 | 1 | 2,
    retain: forwarding.keepsRetain && abilities.retainAvailable && message.retain,
    properties: abilities.version === 5 ? propertiesOf(message, forwarding.bridge) : undefined,
  };
  const bytes = packetBytes(outgoing);
  if (bytes > abilities.maximumPacketBytes) {
    return refuse(
      `its packet has ${bytes} bytes, and the broker takes ${abilities.maximumPacketBytes}`,
    );
  }
  return { kind: "send", outgoing };
}

function refuse(reason: string): Verdict {
  return { kind: "refuse", reason };
}

function traceOf({ userProperties = [] }: ConsumedMessage): readonly string[] {
  return userProperties.filter(([name]) => name === traceProperty).map(([, value]) => value);
}

function moveTopic(topic: string, { strip, add }: Forwarding): string {
  return topic.startsWith(strip) ? add + topic.slice(strip.length) : add + topic;
}

/** Values of one name stay in their order, as MQTT.js can have it. [MQTT-3.3.2-18] */
function propertiesOf(message: ConsumedMessage, bridge: string): Outgoing["properties"] {
  const { contentType, responseTopic, correlationData, userProperties = [] } = message;
  const byName = new Map<string, string[]>();
  for (const [name, value] of [...userProperties, [traceProperty, bridge]]) {
    const values = byName.get(name);
    if (values === undefined) byName.set(name, [value]);
    else values.push(value);
  }
  return {
    ...(contentType !== undefined && { contentType }),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData !== undefined && { correlationData }),
    userProperties: Object.fromEntries(byName),
  };
}

/** As many as its packet has at most: 5.0, section 3.3. */
function packetBytes({ topic, payload, properties }: Outgoing): number {
  let bytes = frameBytes + 2 + Buffer.byteLength(topic) + payload.length;
  if (properties === undefined) return bytes;
  const { contentType, responseTopic, correlationData, userProperties } = properties;
  for (const value of [contentType, responseTopic, correlationData]) {
    if (value !== undefined) bytes += 3 + Buffer.byteLength(value);
  }
  for (const [name, values] of Object.entries(userProperties)) {
    for (const value of values) bytes += 5 + Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  return bytes;
}

/** The PUBLISH as people read it. */
export function explainMessage({ message }: MappedMessage, forwarding: Forwarding): string {
  const verdict = forward(message, forwarding, fullAbilities);
  if (verdict.kind === "loop") {
    return `nothing: it passed the bridge ${toVisible(forwarding.bridge)} already`;
  }
  if (verdict.kind === "refuse") return `refused: ${toVisible(verdict.reason)}`;
  const { topic, payload, qos, retain, properties } = verdict.outgoing;
  const { userProperties = {}, correlationData, ...rest } = properties ?? {};
  const users = Object.entries(userProperties).flatMap(([name, values]) =>
    [values].flat().map((value) => `user property ${name}: ${value}`),
  );
  const lines = [
    `PUBLISH ${topic} (QoS ${qos}${retain ? ", retained" : ""}): ${textOf(payload)}`,
    ...Object.entries(rest).map(([name, value]) => `  ${name}: ${value}`),
    ...(correlationData === undefined ? [] : [`  correlationData: ${textOf(correlationData)}`]),
    ...users.map((line) => `  ${line}`),
  ];
  return lines.map(toVisible).join("\n");
}

function textOf(bytes: Buffer): string {
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : `base64 ${bytes.toString("base64")}`;
}
