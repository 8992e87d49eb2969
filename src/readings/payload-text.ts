/** From bytes to text, JSON and CBOR. Nothing of a payload is repeated in an error: it may be long, or a secret. */
import { isUtf8 } from "node:buffer";
import { decode, Simple, Tag } from "cbor2";
import { depthMax, payloadBytesMax } from "./bounds.ts";
import { unreadable } from "./refusals.ts";

/**
 * Undefined where the bytes are not UTF-8.
 *
 * @throws TstackError PAYLOAD_UNREADABLE beyond `bounds.ts`, before a text is made that takes several times as much
 */
export function readUtf8(payload: Buffer): string | undefined {
  if (payload.length > payloadBytesMax && !isUtf8(payload)) return undefined;
  checkLength(payload.length);
  const text = payload.toString("utf8");
  if (!text.includes("\ufffd")) return text;
  // Either somebody sent U+FFFD itself, or it stands for bytes that are no UTF-8. (A strict TextDecoder throws: 8 us.)
  return Buffer.from(text).equals(payload) ? text : undefined;
}

/** Undefined where the text is no JSON. */
export function readJson(text: string): unknown {
  checkLength(text.length);
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch {
    return undefined;
  }
}

/**
 * A value as `readJson` gives it, but with maps for objects. Bytes, tags and what else JSON has not become what RFC
 * 8949, section 6.1, has for them.
 *
 * @throws TstackError PAYLOAD_UNREADABLE
 */
export function readCbor(payload: Buffer): unknown {
  checkLength(payload.length);
  try {
    return toPlain(decode(payload, decodeOptions));
  } catch (error) {
    // The library's words may hold bytes of the payload.
    throw unreadable("the payload is no CBOR", { cause: error });
  }
}

// The library counts the levels of lists twice.
const decodeOptions = { maxDepth: 2 * depthMax + 2, ignoreGlobalTags: true, preferMap: true };

function toPlain(value: unknown): unknown {
  if (value instanceof Tag) return toPlain(value.contents);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64url");
  if (value instanceof Simple) return null;
  if (Array.isArray(value)) return value.map(toPlain);
  if (!(value instanceof Map)) return value;
  return new Map([...value].map(([key, inner]) => [describeKey(key), toPlain(inner)]));
}

function describeKey(key: unknown): string {
  const plain = toPlain(key);
  return typeof plain === "object" && plain !== null ? JSON.stringify(plain) : String(plain);
}

function checkLength(length: number): void {
  if (length > payloadBytesMax) {
    throw unreadable(`the payload has more than ${payloadBytesMax} bytes`);
  }
}
