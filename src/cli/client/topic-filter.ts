/**
 * What is wrong with a topic name or filter, in words, told before it is sent: a broker would answer
 * by closing the connection.
 */

/** What is wrong with a topic name, or undefined. */
export function topicNameMistake(name: string): string | undefined {
  if (/[+#]/.test(name)) return "has a wildcard: + and # are for subscribers"; // [MQTT-3.3.2-2]
  return textMistake(name);
}

/** What is wrong with a topic filter, or undefined. */
export function topicFilterMistake(filter: string): string | undefined {
  const levels = filter.split("/");
  for (const [index, level] of levels.entries()) {
    if (level === "#" && index < levels.length - 1) return "has a # before its end"; // [MQTT-4.7.1-1]
    if (level.length > 1 && /[+#]/.test(level)) {
      return "has a wildcard that is not alone in its level"; // [MQTT-4.7.1-2]
    }
  }
  if (levels[0] === "$share" && (levels.length < 3 || /^$|[+#]/.test(levels[1] ?? ""))) {
    return "is not $share/group/filter"; // [MQTT-4.8.2-1]
  }
  return textMistake(filter);
}

function textMistake(text: string): string | undefined {
  if (text === "") return "is empty"; // [MQTT-4.7.3-1]
  if (text.includes("\0")) return "has a null character"; // [MQTT-4.7.3-2]
  if (Buffer.byteLength(text) > 65_535) return "is longer than 65535 bytes"; // [MQTT-4.7.3-3]
  return undefined;
}
