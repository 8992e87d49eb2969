/** Messages as the body of a POST, and what its headers say of that body. */
import { createHash, createHmac } from "node:crypto";
import { toReadingJson } from "../reading-json.ts";
import type { MappedMessage } from "../sink.ts";

export const httpFormats = ["json", "jsonl"] as const;
export type HttpFormat = (typeof httpFormats)[number];

export const contentTypeOf: Readonly<Record<HttpFormat, string>> = {
  json: "application/json",
  jsonl: "application/x-ndjson",
};

/** The same messages have the same text, whenever they are written. */
export function formatBody(batch: readonly MappedMessage[], format: HttpFormat): string {
  const readings = batch.flatMap((message) => message.readings);
  const lines = readings.map((reading) => JSON.stringify(toReadingJson(reading)));
  return format === "json" ? `[\n${lines.join(",\n")}\n]\n` : `${lines.join("\n")}\n`;
}

/** Tells a receiver that a batch comes again: an attempt of which the answer was lost has the same key. */
export function makeIdempotencyKey(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

/** `t=1795000000,v1=...`: the HMAC-SHA256 in hex of the time, a dot and the bytes as they are sent. */
export function sign(body: Buffer, secret: string, now: Date): string {
  const seconds = Math.floor(now.getTime() / 1000);
  const signature = createHmac("sha256", secret).update(`${seconds}.`).update(body).digest("hex");
  return `t=${seconds},v1=${signature}`;
}
