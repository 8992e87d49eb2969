/**
 * The topics of a listener with a mount point: a name inside, as its clients know it, and outside, as the broker and its
 * rights do. Each name inside is another one outside; what is not the broker's own lies below the mount point there.
 */
import { TstackError } from "../base/index.ts";
import { isValidTopicName, matchesFilter, parseTopicFilter } from "../topics/index.ts";
import { findOwnTopic } from "./own-topics.ts";

const nameBytesMax = 65_535; // [MQTT-4.7.3-3], 3.1.1: [MQTT-4.7.3-3]
const mountPointBytesMax = 255;

export class MountPoint {
  readonly prefix: string;
  readonly prefixBytes: Buffer;

  /** Throws CONFIGURATION_INVALID. */
  constructor(prefix: string) {
    this.prefix = prefix;
    this.prefixBytes = Buffer.from(prefix);
    const isPrefix = isValidTopicName(prefix, Number.POSITIVE_INFINITY) && prefix.isWellFormed();
    const isShort = this.prefixBytes.length <= mountPointBytesMax;
    if (isPrefix && isShort && prefix.endsWith("/") && !prefix.startsWith("$")) return;
    throw new TstackError(
      "CONFIGURATION_INVALID",
      `"${prefix}" is no mount point: it ends with "/", has at most ${mountPointBytesMax} bytes, no wildcard and no $ in front, as site-1/ does`,
    );
  }

  /** A topic name on its way in; undefined when it is too long outside. */
  toOutside(name: string): string | undefined {
    if (findOwnTopic(name) !== undefined) return name;
    return Buffer.byteLength(name) + this.prefixBytes.length <= nameBytesMax
      ? `${this.prefix}${name}`
      : undefined;
  }

  /**
   * A filter on its way in, of `$share/group/` the filter behind it. One that the standard does not allow is not allowed outside
   * either, and one that is too long there becomes such a one.
   */
  filterToOutside(filter: string): string {
    const parsed = parseTopicFilter(filter, Number.POSITIVE_INFINITY);
    if (parsed === undefined) return filter;
    const mounted = this.toOutside(parsed.filter) ?? "";
    const whole = parsed.group === undefined ? mounted : `$share/${parsed.group}/${mounted}`;
    return Buffer.byteLength(whole) <= nameBytesMax ? whole : "";
  }

  /** A topic name on its way out; undefined when it has none inside, and is not to be seen there. */
  toInside(name: string): string | undefined {
    if (findOwnTopic(name) !== undefined) return name;
    if (!name.startsWith(this.prefix)) return undefined; // `site-1` itself, which `site-1/#` matches
    const inside = name.slice(this.prefix.length);
    // Nobody may pass for the broker.
    return inside === "" || findOwnTopic(inside) !== undefined ? undefined : inside;
  }

  /** Whether a name inside is one that a client there has subscribed to; `filter` is as outside. */
  matchesInside(filter: string, name: string): boolean {
    const parsed = parseTopicFilter(filter, Number.POSITIVE_INFINITY);
    const isBelow = parsed?.filter.startsWith(this.prefix) === true;
    return isBelow && matchesFilter(parsed.filter.slice(this.prefix.length), name);
  }

  /** A text for people, in which topics begin after a space or a quotation mark. */
  textToInside(text: string): string {
    return text.replaceAll(` ${this.prefix}`, " ").replaceAll(`"${this.prefix}`, '"');
  }
}
