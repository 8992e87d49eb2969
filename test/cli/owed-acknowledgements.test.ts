/** A client that acknowledges when it is ready: what the broker sees of it, packet by packet. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Connection,
  type ConnectionOptions,
  type OwedAcknowledgement,
  type PublishPacket,
} from "../../src/cli/client/index.ts";
import { packetType, ScriptedBroker } from "./scripted-broker.ts";

const connack = [0x20, 3, 0, 0, 0];
const publish = (qos: 1 | 2, identifier: number, text: string) => {
  const payload = [...Buffer.from(text)];
  return [0x30 | (qos << 1), 6 + payload.length, 0, 1, 0x61, 0, identifier, 0, ...payload];
};

interface Taken {
  readonly packet: PublishPacket;
  readonly owed: OwedAcknowledgement | undefined;
}

/** Connects, and gathers what comes until `count` messages are there. */
async function take(port: number, count: number) {
  const options: ConnectionOptions = {
    endpoint: { scheme: "mqtt", host: "127.0.0.1", port, tls: { insecure: false } },
    protocolVersion: 5,
    clientId: "test",
    clean: false,
    keepAliveSeconds: 60,
    properties: {},
    reconnect: false,
    debug: false,
    quiet: true,
  };
  const taken: Taken[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const connection = new Connection(
    options,
    {
      online: () => undefined,
      owedMessage(packet, owed, done) {
        taken.push({ packet, owed });
        done();
        if (taken.length === count) resolve();
      },
      failed: reject,
    },
    { say: () => undefined, debug: () => undefined, debugging: false },
  );
  connection.open();
  await promise;
  return { connection, taken };
}

test("5.0 [MQTT-4.6.0-2] [MQTT-4.6.0-3] messages come without waiting for acknowledgements, which are sent in the order that is asked for", async (t) => {
  const sent = Promise.withResolvers<void>();
  let answers = 0;
  const broker = await ScriptedBroker.start(({ type }) => {
    if (type === packetType.connect) {
      return [...connack, ...publish(1, 7, "one"), ...publish(2, 8, "two"), ...publish(1, 9, "x")];
    }
    if (type === packetType.puback || type === 5) {
      answers += 1;
      if (answers === 3) sent.resolve();
      return type === 5 ? [0x62, 2, 0, 8] : undefined;
    }
    return undefined;
  });
  t.after(() => broker.stop());
  const { connection, taken } = await take(broker.port, 3);
  t.after(() => connection.close());
  assert.deepEqual(
    taken.map(({ packet }) => [packet.payload.toString(), packet.qos]),
    [
      ["one", 1],
      ["two", 2],
      ["x", 1],
    ],
  );
  assert.deepEqual(
    broker.received.map(({ type }) => type),
    [packetType.connect],
    "nothing was acknowledged yet",
  );
  connection.acknowledge(taken.flatMap(({ owed }) => owed ?? []));
  await sent.promise;
  assert.deepEqual(
    broker.received.slice(1, 4).map(({ type, body }) => [type, body.readUInt16BE(0)]),
    [
      [packetType.puback, 7],
      [5, 8],
      [packetType.puback, 9],
    ],
  );
  while (broker.received.length < 5) await new Promise(setImmediate);
  assert.deepEqual([broker.received[4].type, broker.received[4].body.readUInt16BE(0)], [7, 8]);
});

test("what is owed to an earlier connection is not acknowledged on another", async (t) => {
  const broker = await ScriptedBroker.start(({ type }) =>
    type === packetType.connect ? [...connack, ...publish(1, 7, "one")] : undefined,
  );
  t.after(() => broker.stop());
  const { connection, taken } = await take(broker.port, 1);
  t.after(() => connection.close());
  const [{ owed }] = taken;
  assert.ok(owed !== undefined);
  connection.acknowledge([{ ...owed, connection: owed.connection - 1 }]);
  connection.acknowledge([owed]);
  while (broker.received.length < 2) await new Promise(setImmediate);
  assert.equal(broker.received.length, 2);
  assert.equal(broker.received[1].body.readUInt16BE(0), 7);
});
