/** Reads where the other broker is, and what becomes of a message on its way there. No message holds a password. */
import { createHash } from "node:crypto";
import {
  readCaFile,
  readChoice,
  readSecret,
  readSwitch,
  readText,
  readUrl,
  settingMistake,
} from "../setting-values.ts";
import type { SinkOption, SinkValues } from "../sink.ts";
import type { Forwarding } from "./format.ts";

export const mqttOptions: readonly SinkOption[] = [
  {
    flags: "--mqtt-url <url>",
    description: "mqtt://user@host:port, mqtts://, ws:// or wss:// of the other broker",
  },
  {
    flags: "--mqtt-password <password>",
    description: "of that user",
    environment: "TSTACK_SINK_MQTT_PASSWORD",
  },
  { flags: "--mqtt-password-file <file>", description: "its first line is the password" },
  { flags: "--mqtt-cafile <file>", description: "the CA of the other broker's certificate" },
  { flags: "--mqtt-id <id>", description: "client identifier there (default: made up)" },
  {
    flags: "--mqtt-version <version>",
    description: "5 or 311 (default: 5, and 311 where the other broker does not know it)",
  },
  {
    flags: "--mqtt-qos <qos>",
    description: "0, 1 or 2 for every message (default: as it came, and at least 1)",
  },
  { flags: "--mqtt-retain", description: "what came retained is retained there as well" },
  {
    flags: "--mqtt-strip <prefix>",
    description: "taken away where a topic begins with it: home/",
  },
  { flags: "--mqtt-add <prefix>", description: "put before every topic, after that: remote/" },
  {
    flags: "--mqtt-bridge <name>",
    description:
      "messages that passed a bridge of this name are left out: the same in both directions",
  },
];

export interface MqttSettings extends Forwarding {
  /** `MQTT broker at mqtts://example.com:8883`. */
  readonly destination: string;
  readonly protocol: "mqtt" | "mqtts" | "ws" | "wss";
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly ca: string | undefined;
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
  const isWebSocket = protocol.startsWith("ws");
  const origin = `${protocol}://${host.includes(":") ? `[${host}]` : host}:${port}`;
  // Without the query, which may be a signature.
  const where = isWebSocket ? origin + url.pathname : origin;
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
    destination: `MQTT broker at ${where}`,
    protocol,
    host,
    port,
    path: isWebSocket ? url.pathname + url.search : "",
    username,
    password,
    ca: await readCaFile(values, "mqtt-cafile"),
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

/** A password with a bare `%` in it is meant as it stands. */
function decode(text: string): string {
  return /%(?![0-9a-f]{2})/i.test(text) ? text : decodeURIComponent(text);
}
