/** Reads where the other broker is, and what becomes of a message on its way there. No message holds a password. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { TstackError } from "../../base/index.ts";
import {
  readChoice,
  readSecret,
  readSwitch,
  readText,
  readUrl,
  settingMistake,
} from "../setting-values.ts";
import type { SinkValues } from "../sink.ts";
import type { Forwarding } from "./format.ts";

export interface MqttSettings extends Forwarding {
  /** Without credentials, for people. */
  readonly where: string;
  readonly protocol: "mqtt" | "mqtts" | "ws" | "wss";
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly ca: Buffer | undefined;
  readonly clientId: string | undefined;
  /** Undefined: 5, and 4 (which is 3.1.1) where the broker says that it does not know it. */
  readonly version: 4 | 5 | undefined;
  /** How long a connection or the next acknowledgement may take. */
  readonly answerSecondsMax: number;
}

const protocols = ["mqtt:", "mqtts:", "ws:", "wss:"];
const defaultPorts = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 } as const;
const answerSecondsMax = 30;
const bridgeDigits = 12;

export async function readMqttSettings(values: SinkValues): Promise<MqttSettings> {
  const url = readUrl(values, "mqtt-url", { protocols });
  const protocol = url.protocol.slice(0, -1) as MqttSettings["protocol"];
  const host = url.hostname.replace(/^\[|\]$/g, "") || "localhost";
  const port = url.port === "" ? defaultPorts[protocol] : Number(url.port);
  const path = protocol.startsWith("ws") ? `${url.pathname}${url.search}` : "";
  const where = `${protocol}://${host.includes(":") ? `[${host}]` : host}:${port}${path}`;
  const version = readChoice(values, "mqtt-version", {
    choices: ["5", "311", "any"],
    otherwise: "any",
  });
  const username = url.username === "" ? undefined : decode(url.username);
  const password =
    (await readSecret(values, "mqtt-password")) ?? (decode(url.password) || undefined);
  if (password !== undefined && username === undefined) {
    throw settingMistake("mqtt-url", "a URL with the user name of the password: mqtt://user@host");
  }
  return {
    where,
    protocol,
    host,
    port,
    path,
    username,
    password,
    ca: await readCa(values),
    clientId: readText(values, "mqtt-id", undefined),
    version: version === "any" ? undefined : version === "5" ? 5 : 4,
    qos: readQos(values),
    keepsRetain: readSwitch(values, "mqtt-retain"),
    strip: readPrefix(values, "mqtt-strip"),
    add: readPrefix(values, "mqtt-add"),
    bridge: readText(values, "mqtt-bridge", digest(where)),
    answerSecondsMax,
  };
}

/** Of where the bridge leads: whoever has been there need not go again. Other people's brokers need not know its name. */
function digest(where: string): string {
  return createHash("sha256").update(where).digest("hex").slice(0, bridgeDigits);
}

function readQos(values: SinkValues): 0 | 1 | 2 | undefined {
  const otherwise = "keep";
  const choices = ["0", "1", "2", otherwise] as const;
  const text = readChoice(values, "mqtt-qos", { choices, otherwise });
  return text === otherwise ? undefined : (Number(text) as 0 | 1 | 2);
}

function readPrefix(values: SinkValues, option: string): string {
  const prefix = values[option] ?? "";
  if (/[#+\0]/.test(prefix)) {
    throw settingMistake(option, "the beginning of topics, without + and #", prefix);
  }
  return prefix;
}

async function readCa(values: SinkValues): Promise<Buffer | undefined> {
  const file = readText(values, "mqtt-cafile", undefined);
  if (file === undefined) return undefined;
  try {
    return await readFile(file);
  } catch (error) {
    throw unreadable(error);
  }
}

function unreadable(cause: unknown): TstackError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `--mqtt-cafile cannot be read: ${reason}`;
  return new TstackError("CONFIGURATION_INVALID", message, { cause });
}

/** A password with a bare `%` in it is meant as it stands. */
function decode(text: string): string {
  return /%(?![0-9a-f]{2})/i.test(text) ? text : decodeURIComponent(text);
}
