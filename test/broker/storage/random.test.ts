/**
 * Many clients, kept and not, alone and in a group, and a storage that answers when chance says: every message arrives
 * where it must and in order, and when all is answered and ended, nothing is left in the storage or in the journal. No
 * crashes: those are the simulation's (test/simulation).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PacketType, ProtocolVersion, type QoS } from "../../../src/codec/index.ts";
import type { MemoryClient } from "../memory-client.ts";
import { GroupMember, type MemberOptions } from "./group-member.ts";
import { kept, StoredBroker, say } from "./stored-broker.ts";

const { v3_1_1, v5 } = ProtocolVersion;

const group = "$share/g/t";
const members: readonly MemberOptions[] = [
  { name: "one", filter: "t", qos: 1, isKept: true, version: v5, receiveMaximum: 3 },
  { name: "two", filter: "t", qos: 2, isKept: true, version: v3_1_1, receiveMaximum: 0 },
  { name: "three", filter: "t", qos: 2, isKept: true, version: v5, receiveMaximum: 1 },
  { name: "four", filter: "#", qos: 2, isKept: false, version: v5, receiveMaximum: 2 },
  { name: "five", filter: group, qos: 1, isKept: true, version: v5, receiveMaximum: 2 },
  { name: "six", filter: group, qos: 1, isKept: false, version: v5, receiveMaximum: 2 },
  { name: "seven", filter: group, qos: 1, isKept: true, version: v3_1_1, receiveMaximum: 0 },
];

interface Step {
  readonly action:
    | "publish"
    | "answer"
    | "connect"
    | "lose"
    | "takeOver"
    | "commit"
    | "read"
    | "hold"
    | "wait"
    | "settle";
  readonly who: number;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly count: number;
}

const actions: [Step["action"], number][] = [
  ["publish", 10],
  ["answer", 10],
  ["connect", 3],
  ["lose", 2],
  ["takeOver", 1],
  ["commit", 8],
  ["read", 4],
  ["hold", 2],
  ["wait", 3],
  ["settle", 8],
];

const steps = fc.array(
  fc.record<Step>({
    action: fc.oneof(
      ...actions.map(([action, weight]) => ({ weight, arbitrary: fc.constant(action) })),
    ),
    who: fc.nat(members.length - 1),
    qos: fc.constantFrom<QoS[]>(0, 1, 1, 1, 2, 2),
    retain: fc.constantFrom(false, false, false, true),
    count: fc.integer({ min: 1, max: 5 }),
  }),
  { minLength: 20, maxLength: 150, size: "max" },
);

class World {
  readonly broker = new StoredBroker();
  readonly members = members.map((options) => new GroupMember(this.broker, options));
  /** Of messages of QoS 1 and 2, by their numbers. */
  readonly published: number[] = [];
  #number = 0;
  readonly #publishers: MemoryClient[] = [];
  readonly #heard: number[] = [];

  async begin(): Promise<void> {
    this.#publishers.push(
      await this.broker.connect("publisher", kept()),
      await this.broker.connect("old publisher", { protocolVersion: v3_1_1 }),
    );
    this.#heard.push(0, 0);
    for (const member of this.members) member.connect();
    await this.#exchange();
  }

  act({ action, who, qos, retain, count }: Step): void {
    const { storage, clock } = this.broker;
    const member = this.members[who];
    switch (action) {
      case "publish":
        for (let message = 0; message < count; message++)
          this.#publish(this.#publishers[who % 2], qos, retain);
        break;
      case "answer":
        member.answer(count);
        break;
      case "connect":
        if (member.client === undefined) member.connect();
        break;
      case "takeOver":
        member.connect();
        break;
      case "lose": {
        const { client } = member;
        member.leave();
        if (client?.isLost === false) client.lose();
        break;
      }
      case "commit":
        if (storage.isUnderWay) storage.answer();
        break;
      case "read":
        storage.answerReads();
        break;
      case "hold":
        storage.letGo();
        storage.isHolding = count > 1;
        storage.isHoldingReads = count > 2;
        break;
      case "wait":
        clock.advance(count * 3);
        break;
    }
  }

  #publish(publisher: MemoryClient, qos: QoS, retain: boolean): void {
    this.#number++;
    if (qos > 0) this.published.push(this.#number);
    publisher.publish("t", `${this.#number}`, { qos, retain });
  }

  listen(): void {
    for (const member of this.members) member.listen();
    for (const [index, publisher] of this.#publishers.entries()) {
      for (; this.#heard[index] < publisher.packets.length; this.#heard[index]++) {
        const packet = publisher.packets[this.#heard[index]];
        if (packet.type === PacketType.pubrec) say(publisher, "pubrel", packet.packetIdentifier);
      }
    }
  }

  async #exchange(): Promise<void> {
    for (let quiet = 0; quiet < 2; ) {
      await this.broker.rest();
      this.listen();
      let hasAnswered = false;
      for (const member of this.members) hasAnswered = member.answer(1000) || hasAnswered;
      quiet = hasAnswered ? 0 : quiet + 1;
    }
  }

  /** All come back and answer everything. */
  async comeToRest(): Promise<void> {
    this.broker.storage.letGo();
    for (const member of this.members) if (member.client === undefined) member.connect();
    await this.#exchange();
  }

  check(): void {
    const { broker } = this;
    assert.deepEqual(
      broker.lines.filter(({ level }) => level !== "info"),
      [],
    );
    for (const { options, arrived } of this.members) {
      if (options.filter === "t") assert.deepEqual(arrived, this.published, options.name);
      if (options.isKept)
        assert.deepEqual(broker.storage.underWay(broker.session(options.name).stored), []);
      // One that is not kept misses what is published while it is away, and gets the last of it as retained.
      if (options.isKept && options.filter === "t") broker.expectSameCounts(options.name);
    }
    const inGroup = this.members.filter(({ options }) => options.filter === group);
    const all = new Set(inGroup.flatMap(({ arrived }) => arrived));
    assert.deepEqual(
      [...all].sort((a, b) => a - b),
      this.published,
      "the group",
    );
    for (const [index, publisher] of this.#publishers.entries()) {
      const sent = publisher.packets.filter(({ type }) =>
        [PacketType.puback, PacketType.pubrec].includes(type as never),
      );
      const expected = this.#acknowledgedOf(index);
      assert.equal(sent.length, expected, "each message is acknowledged");
    }
  }

  /** Packet identifiers are given in turn: so many messages of QoS 1 and 2 it has sent. */
  #acknowledgedOf(index: number): number {
    const probe = this.#publishers[index].publishPacket("t", "", { qos: 1 });
    return (probe.packetIdentifier ?? 0) - 1;
  }

  /** Everything ends: nothing of it may be left. */
  async end(): Promise<void> {
    const { broker } = this;
    broker.publish("t", "", 1, true);
    await this.#exchange();
    for (const session of [...broker.core.sessions.all()]) {
      const client = new GroupMember(broker, {
        ...members[0],
        name: session.clientIdentifier,
        isKept: false,
      });
      client.connect();
      await broker.settle();
      client.client?.lose();
    }
    await broker.rest();
    broker.storage.expectEmpty();
    assert.equal(broker.core.journal.unsyncedBytes, 0);
    assert.ok(broker.core.journal.isIdle);
    assert.equal(broker.core.sessions.size, 0);
    assert.equal(broker.core.subscriptions.count, 0);
  }
}

test("5.0 [MQTT-4.6.0-1] [MQTT-4.6.0-5] [MQTT-4.3.3-10] 3.1.1 [MQTT-4.6.0-1] whatever the storage's pace, all arrives in order, QoS 2 once, and nothing is left", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (chosen) => {
      const world = new World();
      await world.begin();
      for (const step of chosen) {
        world.act(step);
        if (step.action === "settle") await world.broker.settle();
        world.listen();
      }
      await world.comeToRest();
      world.check();
      await world.end();
    }),
    { numRuns: 150, endOnFailure: false },
  );
});
