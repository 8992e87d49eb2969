/**
 * How an export writes what JSON has no word for: bytes, and points in time that may never come. What is read back is
 * what was written.
 */
import { isUtf8 } from "node:buffer";
import { z } from "zod";

/** Text where the bytes are UTF-8; otherwise base64, marked as such. */
export type BytesRecord = string | { readonly base64: string };

export const bytesShape = z.union([z.string(), z.strictObject({ base64: z.base64() })]);

export function writeBytes(bytes: Uint8Array): BytesRecord {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return isUtf8(buffer) ? buffer.toString() : { base64: buffer.toString("base64") };
}

export function readBytes(record: BytesRecord): Buffer {
  return typeof record === "string" ? Buffer.from(record) : Buffer.from(record.base64, "base64");
}

/** `2026-11-23T10:00:00.000Z`; left out for never. A number of milliseconds where no date can say it. */
export type TimeRecord = string | number | undefined;

export const timeShape = z.union([z.iso.datetime(), z.number()]).optional();

const dateMillisecondsMax = 8.64e15;

export function writeTime(milliseconds: number): TimeRecord {
  if (milliseconds === Number.POSITIVE_INFINITY) return undefined;
  const isDate = Number.isInteger(milliseconds) && Math.abs(milliseconds) <= dateMillisecondsMax;
  // Years beyond 9999 have a form of their own, which few programs read.
  const text = isDate ? new Date(milliseconds).toISOString() : "";
  return /^\d{4}-/.test(text) ? text : milliseconds;
}

export function readTime(record: TimeRecord): number {
  if (record === undefined) return Number.POSITIVE_INFINITY;
  return typeof record === "number" ? record : Date.parse(record);
}
