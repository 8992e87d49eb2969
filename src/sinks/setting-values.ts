/**
 * Reads what was said for the options of a sink. Each reader takes the option's long name without dashes and answers
 * its value, or what stands for it where nothing was said. A mistake is a TstackError CONFIGURATION_INVALID that names
 * the option, says what belongs there and, unless it is a secret, what was written.
 */
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { TstackError } from "../base/index.ts";
import type { SinkValues } from "./sink.ts";

/** Says of an option what it takes: `--graphite-port is a number from 1 to 65535, not "x"`. */
export function settingMistake(option: string, expected: string, given?: string): TstackError {
  const instead = given === undefined ? "" : `, not ${JSON.stringify(given)}`;
  return new TstackError("CONFIGURATION_INVALID", `--${option} is ${expected}${instead}`);
}

interface WholeRange {
  readonly minimum: number;
  readonly maximum: number;
  readonly otherwise: number;
}

export function readWhole(values: SinkValues, option: string, range: WholeRange): number {
  const text = values[option];
  if (text === undefined) return range.otherwise;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < range.minimum || value > range.maximum) {
    throw settingMistake(option, `a number from ${range.minimum} to ${range.maximum}`, text);
  }
  return value;
}

export function readPort(values: SinkValues, option: string, otherwise: number): number {
  return readWhole(values, option, { minimum: 1, maximum: 65_535, otherwise });
}

const secondsMax = 10 * 366 * 24 * 3600;
const secondsOf: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds, or with a unit: `90`, `1.5s`, `15m`, `12h`, `7d`. */
export function readSeconds<T extends number | undefined>(
  values: SinkValues,
  option: string,
  otherwise: T,
): number | T {
  const text = values[option];
  if (text === undefined) return otherwise;
  const seconds = parseSeconds(text);
  if (seconds === undefined)
    throw settingMistake(option, "a time such as 30s, 15m, 12h or 7d", text);
  return seconds;
}

/** Undefined where the text says no time: for options that take a time or something else. */
export function parseSeconds(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text) ?? [];
  const seconds = Number(number) * secondsOf[unit];
  return seconds <= secondsMax ? seconds : undefined;
}

const bytesOf: Readonly<Record<string, number>> = { "": 1, k: 1000, m: 1000 ** 2, g: 1000 ** 3 };

/** Bytes, or with a unit: `65536`, `500kB`, `100MB`, `2GB`. Undefined where the text says no size. */
export function parseBytes(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s?([kmg]?)b?$/i.exec(text) ?? [];
  const bytes = Math.round(Number(number) * bytesOf[unit?.toLowerCase()]);
  return bytes <= Number.MAX_SAFE_INTEGER ? bytes : undefined;
}

export function readBytes(values: SinkValues, option: string, otherwise: number): number {
  const text = values[option];
  if (text === undefined) return otherwise;
  const bytes = parseBytes(text);
  if (bytes === undefined) throw settingMistake(option, "a size such as 500kB, 100MB or 2GB", text);
  return bytes;
}

/** One of a few words; `choices` are all of them. */
export function readChoice<Choice extends string>(
  values: SinkValues,
  option: string,
  { choices, otherwise }: { readonly choices: readonly Choice[]; readonly otherwise: Choice },
): Choice {
  const text = values[option];
  if (text === undefined) return otherwise;
  const choice = choices.find((word) => word === text);
  if (choice === undefined) {
    throw settingMistake(option, `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`, text);
  }
  return choice;
}

/** A text that is not empty. */
export function readText<T extends string | undefined>(
  values: SinkValues,
  option: string,
  otherwise: T,
): string | T {
  const text = values[option];
  if (text === "") throw settingMistake(option, "not empty");
  return text ?? otherwise;
}

/** Whether a switch was given. */
export function readSwitch(values: SinkValues, option: string): boolean {
  const text = values[option];
  if (text !== undefined && text !== "true" && text !== "false") {
    throw settingMistake(option, "a switch: it takes no value", text);
  }
  return text === "true";
}

/** `protocols` with their colon: `["http:", "https:"]`. What stands before `@` or after `?` in the URL is never repeated. */
export function readUrl(
  values: SinkValues,
  option: string,
  { protocols, otherwise }: { readonly protocols: readonly string[]; readonly otherwise?: string },
): URL {
  const text = values[option] ?? otherwise;
  const expected = `a URL that begins with ${protocols.map((name) => `${name}//`).join(" or ")}`;
  if (text === undefined) throw settingMistake(option, `needed: ${expected}`);
  const url = URL.parse(text);
  if (url === null || !protocols.includes(url.protocol)) {
    throw settingMistake(option, expected, /[@?]/.test(text) ? undefined : text);
  }
  return url;
}

/**
 * The secret of `option` (the program takes it from the environment as well), or the first line of the file that
 * `<option>-file` names. Undefined where neither was said.
 */
export async function readSecret(values: SinkValues, option: string): Promise<string | undefined> {
  const said = readText(values, option, undefined);
  const fileOption = `${option}-file`;
  const file = readText(values, fileOption, undefined);
  if (file === undefined) return said;
  if (said !== undefined)
    throw settingMistake(fileOption, `not together with --${option} or its variable`);
  const [line] = (await readOptionFile(file, fileOption)).split(/\r?\n/, 1);
  if (line !== "") return line;
  throw settingMistake(fileOption, "a file whose first line is the secret; it is empty");
}

/** PEM of the authorities that are trusted instead of those Node knows. */
export async function readCaFile(values: SinkValues, option: string): Promise<string | undefined> {
  const file = readText(values, option, undefined);
  return file === undefined ? undefined : readCertificates(file, option);
}

/** PEM. Node takes a file without a certificate for none at all, and an empty one for those that it knows. */
export async function readCertificates(file: string, option: string): Promise<string> {
  const text = await readOptionFile(file, option);
  if (isCertificate(text)) return text;
  throw settingMistake(option, "a file that begins with a certificate in PEM form", file);
}

function isCertificate(text: string): boolean {
  try {
    new X509Certificate(text);
    return true;
  } catch {
    return false;
  }
}

export async function readOptionFile(file: string, option: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw unreadable(option, error);
  }
}

function unreadable(option: string, cause: unknown): TstackError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `--${option} cannot be read: ${reason}`;
  return new TstackError("CONFIGURATION_INVALID", message, { cause });
}
