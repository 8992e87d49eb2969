/** A bridge: messages as they came, to another MQTT broker. */
import type { SinkKind } from "../sink.ts";
import { explainMessage } from "./format.ts";
import { readMqttSettings } from "./settings.ts";
import { MqttSink } from "./sink.ts";

export const mqttSink: SinkKind = {
  name: "mqtt",
  summary: "another MQTT broker: a bridge that keeps messages as they came",
  options: [
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
  ],
  configure: async (values) => {
    const settings = await readMqttSettings(values);
    return {
      destination: `mqtt broker at ${settings.where}`,
      takesMessages: true,
      explain: (message) => explainMessage(message, settings),
      open: async (world) => new MqttSink(settings, world),
    };
  },
};
