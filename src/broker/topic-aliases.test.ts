/** Topic aliases: those of the client within their maximum, those of the broker where they make a packet shorter. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TstackError } from "../base/index.ts";
import { decodePacket, type PublishPacket, type PublishVariant } from "../codec/index.ts";
import { Message } from "./message.ts";
import { newVariant, PublishEncoder } from "./publish-encoder.ts";
import { InboundAliases, OutboundAliases } from "./topic-aliases.ts";

function messageTo(topic: string, payloadBytes = 10): Message {
  return Message.create(
    { topic, qos: 0, retain: false, publisher: "", expiresAt: Number.POSITIVE_INFINITY },
    { properties: new Uint8Array(), expiryOffset: -1, payload: new Uint8Array(payloadBytes) },
  );
}

const variant: PublishVariant = { ...newVariant(), isV5: true };

/** Topic and alias as the client reads them, and the length of the packet. */
function send(aliases: OutboundAliases, message: Message, packetBytesMax = 1000): string {
  const { bytes, start, end } = aliases.encode(
    message,
    variant,
    new PublishEncoder(),
    packetBytesMax,
  );
  const packet = decodePacket(Buffer.from(bytes.subarray(start, end)), 5) as PublishPacket;
  return `${packet.topic} ${packet.properties.topicAlias ?? 0} ${end - start}`;
}

test("5.0 [MQTT-3.3.2-12] a client's alias stands for the topic it was last set to", () => {
  const aliases = new InboundAliases(2);
  aliases.set(1, "a");
  aliases.set(2, "b");
  assert.equal(aliases.get(1), "a");
  aliases.set(1, "c");
  assert.deepEqual([aliases.get(1), aliases.get(2)], ["c", "b"]);
});

test("5.0 [MQTT-3.3.2-9] an alias beyond the maximum, and one that was never set, are refused", () => {
  const aliases = new InboundAliases(2);
  const isRefused = (error: unknown): boolean =>
    error instanceof TstackError && error.code === "MQTT_TOPIC_ALIAS_INVALID";
  assert.throws(() => aliases.set(3, "a"), isRefused);
  assert.throws(() => aliases.get(3), isRefused);
  assert.throws(() => aliases.get(2), isRefused);
});

test("5.0 [MQTT-3.1.2-26] the first topics get an alias, the others are sent as they are", () => {
  const aliases = new OutboundAliases(2);
  const sent = ["first", "second", "third", "first", "third", "second"].map((topic) =>
    send(aliases, messageTo(topic)),
  );
  assert.deepEqual(sent, [
    "first 1 23",
    "second 2 24",
    "third 0 20",
    " 1 18",
    "third 0 20",
    " 2 18",
  ]);
});

test("no alias for a topic that is shorter without", () => {
  const aliases = new OutboundAliases(5);
  assert.deepEqual(
    [send(aliases, messageTo("abc")), send(aliases, messageTo("abc"))],
    ["abc 0 18", "abc 0 18"],
  );
  assert.equal(send(aliases, messageTo("abcd")), "abcd 1 22");
});

test("5.0 [MQTT-3.1.2-24] no alias where the packet would be too long for the client only because of it", () => {
  const aliases = new OutboundAliases(5);
  const message = messageTo("first");
  assert.equal(send(aliases, message, 22), "first 0 20");
  assert.equal(send(aliases, message, 22), "first 0 20", "it has not been set");
  assert.equal(send(aliases, message, 23), "first 1 23");
  assert.equal(send(aliases, message, 18), " 1 18", "it makes the packet fit");
});
