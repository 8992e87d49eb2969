/**
 * The language of `-F`: `%` for what is in a message, `@` for the time (strftime), `\` for characters
 * that are hard to type. A format is compiled once, at start, where its mistakes are told, into a list
 * of pieces; printing a message then walks the list.
 *
 * Widths count characters, so that columns stand straight and no character is cut in two.
 */
import { type PublishPacket, UsageError } from "../client/index.ts";
import { isoTime, plainJson, quotedJson } from "./message-json.ts";
import type { Output } from "./output.ts";
import { findTimeConversion } from "./strftime.ts";

export type Printer = (packet: PublishPacket, output: Output) => void;

export interface FormatOptions {
  /** Indent the JSON of `%j` and `%J`. */
  readonly pretty: boolean;
  /** Ends every message, unless `-N`. */
  readonly newline: boolean;
  /** Told of a payload that is no JSON where `%J` wants some. */
  readonly complain: (line: string) => void;
}

interface Moment {
  readonly packet: PublishPacket;
  readonly time: Date;
}

type Value = string | number | Uint8Array | undefined;
type Piece = (moment: Moment, output: Output) => void;

interface Parameter {
  read(moment: Moment): Value;
  /** Which of flags, width and maximum width apply; none to those that mosquitto prints as they are. */
  readonly fits?: "width" | "zero" | "maximum";
}

const parameters: Readonly<Record<string, Parameter>> = {
  t: { read: ({ packet }) => packet.topic, fits: "maximum" },
  p: { read: ({ packet }) => packet.payload, fits: "width" },
  q: { read: ({ packet }) => packet.qos },
  r: { read: ({ packet }) => Number(packet.retain) },
  l: { read: ({ packet }) => packet.payload.length, fits: "zero" },
  m: { read: ({ packet }) => (packet.qos > 0 ? packet.messageId : 0), fits: "zero" },
  x: { read: ({ packet }) => hexadecimal(packet), fits: "zero" },
  X: { read: ({ packet }) => hexadecimal(packet).toUpperCase(), fits: "zero" },
  I: { read: ({ time }) => isoTime(time), fits: "maximum" },
  U: { read: ({ time }) => `${(time.getTime() / 1000).toFixed(3)}000000` },
  P: { read: ({ packet }) => userProperties(packet) },
  R: { read: ({ packet }) => packet.properties?.responseTopic, fits: "maximum" },
  D: { read: ({ packet }) => packet.properties?.correlationData },
  E: { read: ({ packet }) => packet.properties?.messageExpiryInterval, fits: "zero" },
  C: { read: ({ packet }) => packet.properties?.contentType, fits: "maximum" },
  S: { read: ({ packet }) => subscriptionIdentifiers(packet), fits: "zero" },
  A: { read: ({ packet }) => packet.properties?.topicAlias, fits: "zero" },
  F: { read: ({ packet }) => payloadFormat(packet), fits: "zero" },
};

const escapes: Readonly<Record<string, string>> = {
  "\\": "\\",
  "0": "\0",
  a: "\x07",
  e: "\x1b",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** The payload alone, and with `-v` the topic and a space before it. */
export function compilePlain(verbose: boolean, newline: boolean): Printer {
  return ({ topic, payload }, output) => {
    if (verbose) {
      output.text(topic);
      output.text(" ");
    }
    output.bytes(payload as Buffer);
    if (newline) output.text("\n");
  };
}

/** @throws {UsageError} for a sequence that does not exist or is cut short. */
export function compileFormat(format: string, options: FormatOptions): Printer {
  const pieces: Piece[] = [];
  let literal = "";
  const sequences = /%([-0]*)(\d*)(?:\.(\d+))?([^\d.]?)|@(.?)|\\(.?)|[^%@\\]+/gsu;
  for (const match of format.matchAll(sequences)) {
    const [text, flags, width, maximum, letter, timeLetter, escaped] = match;
    if (text.startsWith("%") && letter !== "%") {
      if (literal !== "") pieces.push(printText(literal));
      literal = "";
      pieces.push(compileParameter(text, { flags, width, maximum, letter }, options));
    } else if (text.startsWith("@") && timeLetter !== "@") {
      if (literal !== "") pieces.push(printText(literal));
      literal = "";
      pieces.push(compileTime(text, timeLetter));
    } else if (text.startsWith("\\")) {
      const character = escapes[escaped];
      if (character === undefined) throw unknownSequence(text, "\\\\ \\0 \\a \\e \\n \\r \\t \\v");
      literal += character;
    } else {
      literal += text.startsWith("%") ? "%" : text.startsWith("@") ? "@" : text;
    }
  }
  if (options.newline) literal += "\n";
  if (literal !== "") pieces.push(printText(literal));
  return (packet, output) => {
    const moment = { packet, time: new Date() };
    for (const piece of pieces) piece(moment, output);
  };
}

function unknownSequence(text: string, known: string): UsageError {
  return new UsageError(`-F has no "${text}"; there are ${known}`);
}

function printText(text: string): Piece {
  return (_moment, output) => output.text(text);
}

function compileTime(text: string, letter: string): Piece {
  const convert = findTimeConversion(letter);
  if (convert === undefined) {
    throw unknownSequence(text, "@@, @N and the letters of strftime, as in @Y-@m-@d @H:@M:@S");
  }
  return ({ time }, output) => output.text(convert(time));
}

interface Layout {
  readonly flags: string;
  readonly width: string;
  readonly maximum: string | undefined;
  readonly letter: string;
}

function compileParameter(text: string, layout: Layout, options: FormatOptions): Piece {
  const { letter } = layout;
  if (letter === "j") {
    return ({ packet, time }, output) => output.text(quotedJson(packet, time, options.pretty));
  }
  if (letter === "J") {
    return ({ packet, time }, output) => {
      const json = plainJson(packet, time, options.pretty);
      if (json === undefined) {
        options.complain(`the payload is not valid JSON on topic ${packet.topic}`);
      } else output.text(json);
    };
  }
  const parameter = parameters[letter];
  if (parameter === undefined) {
    const known = ["%", ...Object.keys(parameters), "j", "J"].map((name) => `%${name}`);
    throw unknownSequence(text, known.join(" "));
  }
  const fit = compileFit(parameter, layout);
  return (moment, output) => {
    const value = fit(parameter.read(moment) ?? "");
    if (typeof value === "object") output.bytes(value);
    else output.text(String(value));
  };
}

type Fit = (value: string | number | Uint8Array) => string | number | Uint8Array;

function compileFit({ fits }: Parameter, layout: Layout): Fit {
  const width = fits === undefined ? 0 : Number(layout.width);
  const maximum = fits === "maximum" ? Number(layout.maximum ?? Number.POSITIVE_INFINITY) : 0;
  const left = layout.flags.includes("-");
  const filler = fits === "zero" && layout.flags.includes("0") && !left ? "0" : " ";
  if (width === 0 && (fits !== "maximum" || maximum === Number.POSITIVE_INFINITY)) {
    return (value) => value;
  }
  return (value) => {
    if (value instanceof Uint8Array) {
      const padding = Buffer.from(filler.repeat(Math.max(width - value.length, 0)));
      return Buffer.concat(left ? [value, padding] : [padding, value]);
    }
    let characters = [...String(value)];
    if (fits === "maximum") characters = characters.slice(0, maximum);
    const padding = filler.repeat(Math.max(width - characters.length, 0));
    const text = characters.join("");
    return left ? text + padding : padding + text;
  };
}

function hexadecimal(packet: PublishPacket): string {
  return (packet.payload as Buffer).toString("hex");
}

function payloadFormat(packet: PublishPacket): number | undefined {
  const indicator = packet.properties?.payloadFormatIndicator;
  return indicator === undefined ? undefined : Number(indicator);
}

function subscriptionIdentifiers(packet: PublishPacket): string | undefined {
  const identifiers = packet.properties?.subscriptionIdentifier;
  return identifiers === undefined ? undefined : [identifiers].flat().join(" ");
}

/** `name:value`, with a space between two; a name that came several times is there several times. */
function userProperties(packet: PublishPacket): string {
  const pairs: string[] = [];
  for (const [name, values] of Object.entries(packet.properties?.userProperties ?? {})) {
    for (const value of [values].flat()) pairs.push(`${name}:${value}`);
  }
  return pairs.join(" ");
}
