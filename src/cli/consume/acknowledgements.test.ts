import assert from "node:assert/strict";
import { test } from "node:test";
import type { OwedAcknowledgement } from "../client/index.ts";
import { Acknowledgements } from "./acknowledgements.ts";

/** The MQTT side of a consumer: hands messages to the acknowledgements, and counts those that are new. */
class Side {
  readonly acknowledgements = new Acknowledgements();
  #connection = 0;
  #sequence = 0;

  connect(resumed: boolean): void {
    this.#connection += 1;
    this.acknowledgements.connected(resumed);
  }

  /** Answers the sequence of the message, or undefined where it is known. */
  receive(packetIdentifier: number, payload: string, { qos = 1, dup = false, topic = "t" } = {}) {
    const owed: OwedAcknowledgement = {
      packetIdentifier,
      qos: qos === 2 ? 2 : 1,
      connection: this.#connection,
    };
    const message = { topic, payload: Buffer.from(payload), qos: owed.qos, retain: false };
    if (this.acknowledgements.knows({ ...message, dup }, owed)) return undefined;
    this.#sequence += 1;
    const arrivedAt = this.#sequence * 10;
    this.acknowledgements.taken(this.#sequence, { ...message, arrivedAt }, owed);
    return this.#sequence;
  }

  /** What is sent: `connection:identifier`. */
  sent(): string[] {
    return this.acknowledgements
      .takeReady()
      .map(({ connection, packetIdentifier }) => `${connection}:${packetIdentifier}`);
  }
}

function connected(): Side {
  const side = new Side();
  side.connect(false);
  return side;
}

test("5.0 [MQTT-4.6.0-2] [MQTT-4.6.0-3] acknowledgements go out in the order of the messages, once they are safe", () => {
  const side = connected();
  for (const identifier of [7, 3, 9]) side.receive(identifier, "x");
  assert.deepEqual(side.sent(), []);
  side.acknowledgements.safe(2);
  assert.deepEqual(side.sent(), ["1:7", "1:3"]);
  assert.equal(side.acknowledgements.count, 1);
  assert.equal(side.acknowledgements.oldestArrivedAt, 30);
  side.acknowledgements.safe(3);
  assert.deepEqual(side.sent(), ["1:9"]);
  assert.deepEqual(side.sent(), []);
  assert.equal(side.acknowledgements.oldestArrivedAt, undefined);
});

test("a message that comes again before it was acknowledged is not taken twice, and is acknowledged on the new connection", () => {
  const side = connected();
  side.receive(1, "first");
  side.receive(2, "second");
  side.connect(true);
  side.acknowledgements.safe(1);
  assert.deepEqual(side.sent(), [], "the broker of the new connection has not sent it yet");
  assert.equal(side.receive(1, "first", { dup: true }), undefined);
  assert.equal(side.receive(2, "second", { dup: true }), undefined);
  assert.deepEqual(side.sent(), ["2:1"]);
  side.acknowledgements.safe(2);
  assert.deepEqual(side.sent(), ["2:2"]);
});

test("it is known through two connections that were lost before it came again", () => {
  const side = connected();
  side.receive(1, "first");
  side.connect(true);
  side.connect(true);
  assert.equal(side.receive(1, "first", { dup: true }), undefined);
});

test("nothing is known of a session that the broker has lost", () => {
  const side = connected();
  side.receive(1, "x");
  side.receive(2, "x", { qos: 2 });
  side.acknowledgements.safe(2);
  side.sent();
  side.connect(false);
  assert.equal(side.receive(1, "x", { dup: true }), 3);
  assert.equal(side.receive(2, "x", { qos: 2, dup: true }), 4);
});

for (const [what, change] of [
  ["another payload", { payload: "y" }],
  ["another topic", { topic: "u" }],
  ["no DUP", { dup: false }],
  ["another QoS", { qos: 2 }],
] as const) {
  test(`with ${what} it is another message, which must not be lost`, () => {
    const side = connected();
    side.receive(1, "x");
    side.connect(true);
    const { payload, ...rest } = { payload: "x", dup: true, ...change };
    assert.equal(side.receive(1, payload, rest), 2);
    side.acknowledgements.safe(2);
    assert.deepEqual(side.sent(), ["2:1"]);
  });
}

test("of QoS 1, an identifier that was acknowledged may be of an equal message: it is taken", () => {
  const side = connected();
  side.receive(1, "x");
  side.acknowledgements.safe(1);
  assert.deepEqual(side.sent(), ["1:1"]);
  side.connect(true);
  assert.equal(side.receive(1, "x", { dup: true }), 2);
});

test("5.0 [MQTT-4.3.3-10] [MQTT-4.3.3-12] of QoS 2, it is one message until PUBREL, and then another", () => {
  const side = connected();
  side.receive(1, "x", { qos: 2 });
  side.acknowledgements.safe(1);
  assert.deepEqual(side.sent(), ["1:1"]);
  side.connect(true);
  assert.equal(side.receive(1, "x", { qos: 2, dup: true }), undefined);
  assert.deepEqual(side.sent(), ["2:1"]);
  side.acknowledgements.released(1);
  assert.equal(side.receive(1, "x", { qos: 2 }), 2);
});

test("of QoS 2, after PUBREC as well, with another payload it is another message: the broker has lost what it knew", () => {
  const side = connected();
  for (const payload of ["x", "y"]) {
    const sequence = side.receive(1, payload, { qos: 2, dup: true });
    assert.equal(sequence, payload === "x" ? 1 : 2);
    side.acknowledgements.safe(sequence ?? 0);
    assert.equal(side.sent().length, 1);
    side.connect(true);
  }
  assert.equal(side.receive(1, "y", { qos: 2, dup: true }), undefined);
});

test("ten thousand messages are acknowledged in order, however they become safe", () => {
  const side = connected();
  const sent: string[] = [];
  for (let index = 1; index <= 10_000; index += 1) {
    side.receive(index, "x");
    if (index % 7 !== 0) continue;
    side.acknowledgements.safe(index - (index % 50));
    sent.push(...side.sent());
  }
  side.acknowledgements.safe(10_000);
  sent.push(...side.sent());
  assert.deepEqual(
    sent,
    Array.from({ length: 10_000 }, (_, index) => `1:${index + 1}`),
  );
});
