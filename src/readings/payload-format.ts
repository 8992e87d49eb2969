/** How a rule of a mapping file says that payloads are to be read. An empty payload is nothing in every one of them. */

import type { ConsumedMessage } from "./message.ts";
import { readAuto } from "./payload-auto.ts";
import { readCbor, readJson, readUtf8 } from "./payload-text.ts";
import { unreadable } from "./refusals.ts";
import { readAs } from "./value-type.ts";

export const payloadFormats = [
  "auto",
  "number",
  "text",
  "boolean",
  "json",
  "cbor",
  "influx",
] as const;
export type PayloadFormat = (typeof payloadFormats)[number];
/** A document or a single value; lines of the line protocol are neither. */
export type DocumentFormat = Exclude<PayloadFormat, "influx">;

/**
 * A value as `readJson` and `readCbor` give it; undefined where the payload holds none.
 *
 * @throws TstackError PAYLOAD_UNREADABLE
 */
export function readDocument(format: DocumentFormat, message: ConsumedMessage): unknown {
  if (message.payload.length === 0) return undefined;
  switch (format) {
    case "auto":
      return readAuto(message);
    case "cbor":
      return readCbor(message.payload);
    case "json":
      return readJsonDocument(readText(message));
    default:
      return readAs(format, readText(message));
  }
}

function readJsonDocument(text: string): unknown {
  const document = readJson(text);
  if (document === undefined) throw unreadable("the payload is no JSON");
  return document;
}

/** @throws TstackError PAYLOAD_UNREADABLE */
export function readText({ payload }: ConsumedMessage): string {
  const text = readUtf8(payload);
  if (text === undefined) throw unreadable("the payload is no text in UTF-8");
  return text;
}
