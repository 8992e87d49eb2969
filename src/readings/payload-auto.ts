/**
 * What a payload is, found out by looking at it. Never refuses what is only strange, since who subscribes to `#` gets
 * everything that is published: what is no text holds nothing, and what is no number and no JSON is text.
 */
import type { ConsumedMessage } from "./message.ts";
import { readNumberText } from "./number-text.ts";
import { readCbor, readJson, readUtf8 } from "./payload-text.ts";

/** Pictures, compressed data, structures of C: no text has these but tab, line feed, form feed and carriage return. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const controlCharacters = /[\u0000-\u0008\u000e-\u001f]/;

/**
 * A value as `readJson` and `readCbor` give it; undefined where the payload holds none.
 *
 * @throws TstackError PAYLOAD_UNREADABLE where the message says that it is CBOR and it is not, or beyond `bounds.ts`
 */
export function readAuto({ payload, contentType }: ConsumedMessage): unknown {
  if (payload.length === 0) return undefined;
  if (contentType !== undefined && isCbor(contentType)) return readCbor(payload);
  const text = readUtf8(payload);
  return text === undefined ? undefined : readAutoText(text);
}

function isCbor(contentType: string): boolean {
  return contentType.split(";", 1)[0].trim().toLowerCase() === "application/cbor";
}

function readAutoText(text: string): unknown {
  const number = readNumberText(text);
  if (number !== undefined) return number;
  const bare = text.trim();
  if (bare === "true") return true;
  if (bare === "false") return false;
  if (isNoValue(bare)) return undefined;
  if (bare[0] === "{" || bare[0] === "[" || bare[0] === '"') {
    const value = readJson(bare);
    if (value !== undefined) return value;
  }
  return controlCharacters.test(text) ? undefined : text;
}

/** What devices send for a sensor that does not answer. */
export function isNoValue(bare: string): boolean {
  return bare === "" || bare === "null" || /^[+-]?nan$/i.test(bare);
}
