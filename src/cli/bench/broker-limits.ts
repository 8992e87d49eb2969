/** What a broker of MQTT 5.0 says in its CONNACK that it does not take, told before anything is sent. */
import type { ConnackPacket } from "../../codec/index.ts";
import { ProgramFailure } from "../client/index.ts";
import type { Plan } from "./plan.ts";

/** @param packetBytes of the largest PUBLISH. */
export function brokerLimitMistake(
  plan: Plan,
  packetBytes: number,
  connack: ConnackPacket,
): ProgramFailure | undefined {
  if (plan.publisherCount === 0) return undefined;
  const { maximumQos = 2, retainAvailable = true, maximumPacketSize } = connack.properties;
  if (plan.qos > maximumQos) {
    return new ProgramFailure(`the broker takes QoS ${maximumQos} at most: lower -q`); // [MQTT-3.2.2-11]
  }
  if (plan.retain && !retainAvailable) {
    return new ProgramFailure("the broker retains no messages: leave -r away"); // [MQTT-3.2.2-14]
  }
  if (maximumPacketSize !== undefined && packetBytes > maximumPacketSize) {
    const sizes = `packets of ${maximumPacketSize} bytes, and these have ${packetBytes}`;
    return new ProgramFailure(`the broker takes ${sizes}: lower -s`); // [MQTT-3.2.2-15]
  }
  return undefined;
}

/** The window within the broker's Receive Maximum. [MQTT-3.3.4-7] */
export function capInFlight(inFlightMax: number, connack: ConnackPacket): number {
  return Math.min(inFlightMax, connack.properties.receiveMaximum ?? inFlightMax);
}
