/**
 * The little of topic names that the codec must know: that they hold no wildcard and are not empty.
 * What they mean is the business of `topics/`.
 */
import { protocolError, TstackError } from "../base/index.ts";

/** Throws MQTT_TOPIC_NAME_INVALID for a name that nothing can be published to. */
export function checkTopicName(name: string): void {
  if (name === "") throw invalidTopicName("is empty"); // [MQTT-4.7.3-1], 3.1.1: [MQTT-4.7.3-1]
  if (hasWildcard(name)) throw invalidTopicName("holds a wildcard"); // [MQTT-3.3.2-2] [MQTT-4.7.0-1], 3.1.1: [MQTT-3.3.2-2]
}

/** Throws MQTT_PROTOCOL_ERROR for a Response Topic that nothing could be published to. */
export function checkResponseTopic(name: string): void {
  if (name === "") throw protocolError("the response topic is empty"); // [MQTT-4.7.3-1]
  if (hasWildcard(name)) throw protocolError("the response topic holds a wildcard"); // [MQTT-3.3.2-14]
}

/** The one range of a property for which the standard has a reason code of its own [MQTT-3.3.2-8]. */
export function topicAliasOfZero(): TstackError {
  return new TstackError("MQTT_TOPIC_ALIAS_INVALID", "a topic alias is 0");
}

function hasWildcard(name: string): boolean {
  return name.includes("#") || name.includes("+");
}

function invalidTopicName(fault: string): TstackError {
  return new TstackError("MQTT_TOPIC_NAME_INVALID", `a topic name ${fault}`);
}
