/** The properties of `-D`, which the command line reads for MQTT.js, in the words of our own codec. */
import type { Properties } from "../../codec/index.ts";

type Given = Readonly<Record<string, unknown>>;

export function toPacketProperties(given: Given | undefined): Properties {
  const { subscriptionIdentifier, payloadFormatIndicator, userProperties, ...same } = given ?? {};
  return {
    ...(same as Properties),
    ...(subscriptionIdentifier === undefined
      ? {}
      : { subscriptionIdentifiers: [Number(subscriptionIdentifier)] }),
    ...(payloadFormatIndicator === undefined
      ? {}
      : { payloadFormatIndicator: payloadFormatIndicator === true ? 1 : 0 }),
    ...(userProperties === undefined ? {} : { userProperties: listPairs(userProperties as Given) }),
  };
}

function listPairs(record: Given): [name: string, value: string][] {
  return Object.entries(record).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, String(value)]),
  );
}
