/** The topics of one publisher: found by bytes or by name, as one thing, and checked once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TstackError } from "../base/index.ts";
import { hasBytes, PublishedTopics } from "./published-topics.ts";

function find(topics: PublishedTopics, bytes: string | Buffer, margin = 3): unknown {
  const middle = Buffer.from(bytes);
  const around = Buffer.concat([Buffer.alloc(margin, 0x61), middle, Buffer.alloc(margin, 0x61)]);
  return topics.find(around, margin, margin + middle.length);
}

function refusal(run: () => unknown): string {
  try {
    run();
    return "accepted";
  } catch (error) {
    assert.ok(error instanceof TstackError);
    return error.code;
  }
}

const newTopics = (): PublishedTopics => new PublishedTopics(3);

test("the same topic is the same object, by bytes, by name and after others", () => {
  const topics = newTopics();
  const first = find(topics, "a/b");
  assert.equal(topics.findByName("a/b"), first, "right after it, by name");
  assert.equal(find(topics, "a/b"), first);
  const second = find(topics, "a/c");
  assert.notEqual(second, first);
  assert.equal(topics.last, second);
  assert.equal(find(topics, "a/b"), first);
  assert.equal(topics.findByName("a/c"), second);
  assert.equal(topics.last, second);
});

test("topics that only begin alike are told apart", () => {
  const topics = newTopics();
  const names = ["a", "aa", "aaa", "ab", "b", "é", "e"];
  const found = names.map((name) => find(topics, name));
  assert.equal(new Set(found).size, names.length);
  for (const [index, name] of names.entries()) assert.equal(find(topics, name), found[index]);
});

test("a topic is not decided on before the authorizer was asked", () => {
  const { asked, allowed, generation, route, topic, bytes } = newTopics().findByName("a/é");
  assert.deepEqual({ asked, allowed, generation }, { asked: 0, allowed: 0, generation: -1 });
  assert.equal(route, undefined, "no route is worked out for a topic that may be refused");
  assert.equal(topic, "a/é");
  assert.equal(bytes.toString(), "a/é");
});

test("5.0 [MQTT-3.3.2-2] [MQTT-4.7.3-1] what is no topic name is refused and not remembered", () => {
  const topics = newTopics();
  const good = find(topics, "good");
  for (const name of ["", "a/+", "#", "a/b/c/d"]) {
    assert.equal(
      refusal(() => find(topics, name)),
      "MQTT_TOPIC_NAME_INVALID",
      name,
    );
    assert.equal(
      refusal(() => topics.findByName(name)),
      "MQTT_TOPIC_NAME_INVALID",
      name,
    );
  }
  for (const bytes of [Buffer.from([0xff]), Buffer.from([0xed, 0xa0, 0x80])]) {
    assert.equal(
      refusal(() => find(topics, bytes)),
      "MQTT_MALFORMED_PACKET",
    );
  }
  assert.equal(topics.last, good);
});

test("a client with endless topics is not remembered endlessly, and still served", () => {
  const topics = newTopics();
  const seen = new Set<unknown>();
  const names = Array.from({ length: 1000 }, (_, index) => `t/${index}`);
  for (const name of names) seen.add(find(topics, name));
  assert.equal(seen.size, names.length);
  const again = names.filter((name) => seen.has(find(topics, name)));
  assert.ok(again.length <= 256, `${again.length} were remembered`);
});

test("hasBytes compares the whole and nothing more", () => {
  const topic = Buffer.from("ab");
  const bytes = Buffer.from("xabx");
  assert.equal(hasBytes(topic, bytes, 1, 3), true);
  assert.equal(hasBytes(topic, bytes, 0, 2), false);
  assert.equal(hasBytes(topic, bytes, 1, 2), false);
  assert.equal(hasBytes(topic, bytes, 1, 4), false);
});

test("long topics push out the ones before, so that refused ones cost little memory", () => {
  const topics = newTopics();
  const first = topics.findByName("a");
  for (let count = 0; count < 3; count++) topics.findByName(`${count}${"x".repeat(20_000)}`);
  assert.notEqual(topics.findByName("a"), first);
});
