/** The window against a map of identifiers in the order in which they were taken. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FlightState, InFlightWindow } from "./in-flight-window.ts";
import { Message } from "./message.ts";
import { QueuedMessage } from "./queued-message.ts";

const identifierMax = 65_535;

function queuedMessage(): QueuedMessage {
  const message = Message.create(
    { topic: "t", qos: 1, retain: false, publisher: "", expiresAt: Number.POSITIVE_INFINITY },
    { properties: new Uint8Array(), expiryOffset: -1, payload: new Uint8Array(9) },
  );
  const options = { qos: 1, retain: false, identifiers: [] } as const;
  return new QueuedMessage(message, options, undefined, undefined);
}

interface Expected {
  state: FlightState;
  queued: QueuedMessage | undefined;
}

/** Does to window and model the same, and looks whether they agree. */
class Pair {
  readonly window = new InFlightWindow();
  readonly model = new Map<number, Expected>();

  take(state: FlightState, queued: QueuedMessage | undefined): void {
    const identifier = this.window.take(state, queued);
    assert.ok(identifier >= 1 && identifier <= identifierMax, `identifier ${identifier}`);
    assert.ok(!this.model.has(identifier), `5.0 [MQTT-2.2.1-3] ${identifier} names two messages`);
    this.model.set(identifier, { state, queued });
  }

  release(identifier: number): void {
    this.window.release(identifier);
    this.model.delete(identifier);
  }

  awaitPubcomp(identifier: number): void {
    this.window.awaitPubcomp(identifier);
    // PUBREL follows the order of PUBREC
    this.model.delete(identifier);
    this.model.set(identifier, { state: FlightState.awaitingPubcomp, queued: undefined });
  }

  /** The identifier of the one that was taken `age` messages ago, counted round. */
  pick(age: number): number | undefined {
    return [...this.model.keys()][age % Math.max(1, this.model.size)];
  }

  check(): void {
    assert.equal(this.window.count, this.model.size);
    const expected = [...this.model].map(([packetIdentifier, { state, queued }]) => ({
      packetIdentifier,
      state,
      queued,
      pubrel: undefined,
    }));
    assert.deepEqual(this.window.inOrder(), expected);
    const bytes = expected.reduce((sum, { queued }) => sum + (queued?.message.size ?? 0), 0);
    assert.equal(this.window.bytes, bytes);
    for (const [identifier, { state }] of this.model) {
      assert.equal(this.window.stateOf(identifier), state);
    }
  }
}

test("random messages, answered in any order, are told apart and kept in order", () => {
  const step = fc.tuple(fc.constantFrom("take", "take", "release", "pubrec"), fc.nat());
  const property = fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
    const pair = new Pair();
    for (const [what, number] of steps) {
      const picked = pair.pick(number);
      if (what === "take") {
        const state = number % 2 === 0 ? FlightState.awaitingPuback : FlightState.awaitingPubrec;
        pair.take(state, number % 3 === 0 ? undefined : queuedMessage());
      } else if (picked === undefined) continue;
      else if (what === "release") pair.release(picked);
      else pair.awaitPubcomp(picked);
    }
    pair.check();
  });
  fc.assert(property, { numRuns: 1000 });
});

test("identifiers start at 1 and go round past 65,535 without 0", () => {
  const window = new InFlightWindow();
  for (let count = 0; count < 2 * identifierMax + 5; count++) {
    const identifier = window.take(FlightState.awaitingPuback, undefined);
    assert.equal(identifier, (count % identifierMax) + 1);
    window.release(identifier);
  }
  assert.equal(window.count, 0);
});

test("5.0 [MQTT-4.6.0-1] 3.1.1 [MQTT-4.6.0-1] [MQTT-2.3.1-4] one that stays unanswered while identifiers go round is not taken again, and stays the oldest", () => {
  const pair = new Pair();
  pair.take(FlightState.awaitingPubrec, queuedMessage());
  for (let count = 0; count < 3 * identifierMax; count++) {
    pair.take(FlightState.awaitingPuback, undefined);
    if (pair.model.size > 5) {
      const second = pair.pick(1);
      assert.ok(second !== undefined);
      pair.release(second);
    }
    const newest = pair.pick(pair.model.size - 1) ?? 0;
    if (newest < 100) pair.check(); // identifiers have just gone round: they do not tell the order
  }
  assert.equal(pair.pick(0), 1);
  pair.check();
});

test("all 65,535 identifiers can be under way at once, and each is free again", () => {
  const pair = new Pair();
  for (let count = 0; count < identifierMax; count++) {
    pair.take(FlightState.awaitingPuback, undefined);
  }
  pair.check();
  assert.throws(() => pair.window.take(FlightState.awaitingPuback, undefined), /bug in tStack/);
  for (const identifier of [...pair.model.keys()].reverse()) pair.release(identifier);
  pair.check();
  pair.take(FlightState.awaitingPuback, undefined);
  pair.check();
});

test("what nobody took is free, and answering it is a bug", () => {
  const window = new InFlightWindow();
  const identifier = window.take(FlightState.awaitingPuback, undefined);
  for (const other of [0, identifier + 1, identifier + 16, identifier + 65_520]) {
    assert.equal(window.stateOf(other), FlightState.free);
    assert.throws(() => window.release(other), /bug in tStack/);
    assert.throws(() => window.awaitPubcomp(other), /bug in tStack/);
  }
  assert.equal(window.stateOf(identifier), FlightState.awaitingPuback);
  window.release(identifier);
  assert.throws(() => window.release(identifier), /bug in tStack/);
});

test("5.0 [MQTT-4.6.0-4] PUBREL is sent again in the order of PUBREC", () => {
  const window = new InFlightWindow();
  const identifiers = [0, 1, 2].map(() => window.take(FlightState.awaitingPubrec, queuedMessage()));
  for (const identifier of [3, 1, 2]) window.awaitPubcomp(identifier);
  assert.deepEqual(identifiers, [1, 2, 3]);
  assert.deepEqual(
    window.inOrder().map((flight) => flight.packetIdentifier),
    [3, 1, 2],
  );
});

test("what was under way before a restart keeps its identifiers, however far apart they are", () => {
  const window = new InFlightWindow();
  const identifiers = [3332, 3332 + 16, 3632, 65_535, 15, 1, 3332 + 32_768];
  for (const packetIdentifier of identifiers) {
    const state = FlightState.awaitingPubrec;
    window.restore({ packetIdentifier, state, queued: queuedMessage(), pubrel: undefined });
  }
  assert.deepEqual(
    window.inOrder().map((flight) => flight.packetIdentifier),
    identifiers,
  );
  assert.equal(window.take(FlightState.awaitingPuback, undefined), 3332 + 32_768 + 1);
});
