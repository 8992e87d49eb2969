/**
 * Topic names: what a message is published to. A name is compared as it stands, code point by code point;
 * nothing here normalises or repairs one [MQTT-4.7.3-4], 3.1.1: [MQTT-4.7.3-4].
 */

const slash = 0x2f;

/**
 * Whether a PUBLISH or a will may carry `topic`. That it has at most 65,535 bytes of UTF-8 and no
 * surrogates is the codec's word.
 *
 * @param levelsMax most levels allowed; `a/b` has two, `/` has two empty ones
 *
 * @example
 * isValidTopicName("kitchen/lamp", 128); // true
 * isValidTopicName("kitchen/+", 128); // false
 */
export function isValidTopicName(topic: string, levelsMax: number): boolean {
  if (topic.length === 0) return false; // [MQTT-4.7.3-1], 3.1.1: [MQTT-4.7.3-1]
  let levels = 1;
  for (let index = 0; index < topic.length; index++) {
    const unit = topic.charCodeAt(index);
    if (unit === slash) levels++;
    else if (unit === 0x2b || unit === 0x23)
      return false; // + # [MQTT-4.7.0-1] [MQTT-3.3.2-2], 3.1.1: [MQTT-3.3.2-2] [MQTT-4.7.1-1]
    else if (unit === 0) return false; // [MQTT-4.7.3-2], 3.1.1: [MQTT-4.7.3-2]
  }
  return levels <= levelsMax;
}
