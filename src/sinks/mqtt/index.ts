/** A bridge: messages as they came, to another MQTT broker. */
import type { SinkKind } from "../sink.ts";
import { explainMessage } from "./format.ts";
import { mqttOptions, readMqttSettings } from "./settings.ts";
import { MqttSink } from "./sink.ts";

export const mqttSink: SinkKind = {
  name: "mqtt",
  summary: "another MQTT broker: a bridge that keeps messages as they came",
  options: mqttOptions,
  configure: async (values) => {
    const settings = await readMqttSettings(values);
    return {
      destination: settings.destination,
      takesMessages: true,
      explain: (message) => explainMessage(message, settings),
      open: async (world) => new MqttSink(settings, world),
    };
  },
};
