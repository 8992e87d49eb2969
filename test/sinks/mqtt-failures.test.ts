/** What the other broker may refuse: the connection, a message, a version; and what it may just not do. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { MessageMaker } from "../../src/sinks/conformance/messages.ts";
import { type MappedMessage, SinkRefusal, SinkUnavailable } from "../../src/sinks/index.ts";
import { mqttSink } from "../../src/sinks/mqtt/index.ts";
import { readMqttSettings } from "../../src/sinks/mqtt/settings.ts";
import { MqttSink } from "../../src/sinks/mqtt/sink.ts";
import type { SinkValues } from "../../src/sinks/sink.ts";
import { makeCertificates } from "../cli/certificates.ts";
import { findFreePort } from "../cli/mosquitto.ts";
import { connack, connack5, packet, packetType, ScriptedBroker } from "../cli/scripted-broker.ts";
import { ServeProcess } from "../cli/tserve-process.ts";

const maker = new MessageMaker();
type Script = Parameters<typeof ScriptedBroker.start>[0];

interface Written {
  readonly error: unknown;
  readonly said: readonly string[];
}

/** Writes a batch with these settings, and answers what became of it. */
async function write(values: SinkValues, batch = maker.numbers(3)): Promise<Written> {
  const said: string[] = [];
  const settings = { ...(await readMqttSettings(values)), answerSecondsMax: 1 };
  const say = (line: string) => void said.push(line);
  const sink = new MqttSink(settings, { stdout: process.stdout, say });
  let error: unknown;
  try {
    await sink.write(batch);
  } catch (failure) {
    error = failure;
  } finally {
    await sink.close();
  }
  return { error, said };
}

async function withBroker(
  script: Script,
  use: (url: string, broker: ScriptedBroker) => Promise<void>,
): Promise<void> {
  const broker = await ScriptedBroker.start(script);
  try {
    await use(`mqtt://127.0.0.1:${broker.port}`, broker);
  } finally {
    await broker.stop();
  }
}

/** Of a PUBLISH with QoS 1 or 2 as it stands on the wire. */
function identifierOf(body: Buffer): number[] {
  const at = 2 + body.readUInt16BE(0);
  return [...body.subarray(at, at + 2)];
}

function isUnavailable(error: unknown, words: RegExp): void {
  assert.ok(error instanceof SinkUnavailable, `${error}`);
  assert.match(error.message, words);
}

/** Answers each PUBLISH with the next of these reason codes. */
function answering(codes: readonly number[]): Script {
  let next = 0;
  return ({ type, body }) => {
    if (type === packetType.connect) return connack5(0);
    if (type !== packetType.publish) return undefined;
    next += 1;
    return packet(0x40, identifierOf(body), codes[next - 1] ?? 0);
  };
}

test("5.0 [MQTT-3.4.2-1] a PUBACK that refuses one message is a refusal of that one", async () => {
  await withBroker(answering([0, 0x87, 0x10, 0x90, 0x99, 0]), async (url) => {
    const { error } = await write({ "mqtt-url": url }, maker.numbers(6));
    assert.ok(error instanceof SinkRefusal, `${error}`);
    assert.deepEqual(
      [...(error.refused ?? [])],
      [
        [1, "0x87 not authorized, as site/hall/temp"],
        [3, "0x90 topic name invalid, as site/hall/temp"],
        [4, "0x99 payload format invalid, as site/hall/temp"],
      ],
    );
  });
});

test("a quota that is exceeded is waited for, and what was taken is not sent again", async () => {
  await withBroker(answering([0, 0x97, 0, 0x97, 0, 0x87]), async (url, { received }) => {
    const sink = await (await mqttSink.configure({ "mqtt-url": url })).open({
      stdout: process.stdout,
      say: () => undefined,
    });
    const batch = maker.numbers(3);
    for (const _ of [1, 2]) {
      isUnavailable(await sink.write(batch).catch((error: unknown) => error), /quota exceeded/i);
    }
    assert.equal(await sink.write(batch), 3);
    const published = received.filter(({ type }) => type === packetType.publish);
    assert.equal(published.length, 5);
    await sink.close();
  });
});

test("5.0 [MQTT-4.9.0-1] no more is in flight than the broker's Receive Maximum", async () => {
  const script: Script = ({ type }) =>
    type === packetType.connect ? connack5(0, 0x21, 0, 3) : undefined;
  await withBroker(script, async (url, { received }) => {
    const { error } = await write({ "mqtt-url": url }, maker.numbers(8));
    isUnavailable(error, /no answer/);
    assert.equal(received.filter(({ type }) => type === packetType.publish).length, 3);
  });
});

test("what is larger than the broker takes is refused, and not sent", async () => {
  const script: Script = ({ type, body }) => {
    if (type === packetType.connect) return connack5(0, 0x27, 0, 0, 0, 200);
    return type === packetType.publish ? packet(0x40, identifierOf(body), 0) : undefined;
  };
  await withBroker(script, async (url, { received }) => {
    const large = maker.make({ fields: { value: "x".repeat(200) } });
    const { error } = await write({ "mqtt-url": url }, [maker.number(), large, maker.number()]);
    assert.ok(error instanceof SinkRefusal, `${error}`);
    assert.match(error.refused?.get(1) ?? "", /has \d+ bytes, and the broker takes 200/);
    assert.equal(received.filter(({ type }) => type === packetType.publish).length, 2);
  });
});

test("a broker that does not know MQTT 5 is spoken to in 3.1.1", async () => {
  const script: Script = ({ type, body }) => {
    // What a broker of 3.1.1 answers to a version it does not know. [MQTT-3.1.2-2]
    if (type === packetType.connect) return body[6] === 5 ? packet(0x20, 0, 1) : connack;
    return type === packetType.publish ? packet(0x40, identifierOf(body)) : undefined;
  };
  await withBroker(script, async (url) => {
    const { error, said } = await write({ "mqtt-url": url });
    assert.equal(error, undefined);
    assert.match(said.join(), /speaks only MQTT 3\.1\.1, without properties and loop protection/);
    const strict = await write({ "mqtt-url": url, "mqtt-version": "5" });
    isUnavailable(strict.error, /does not take messages: .*protocol version/i);
  });
});

test("a broker that does not answer CONNECT or PUBLISH is not waited for for ever", async () => {
  await withBroker(
    () => undefined,
    async (url) => {
      isUnavailable((await write({ "mqtt-url": url })).error, /does not answer CONNECT/);
    },
  );
  await withBroker(
    ({ type }) => (type === packetType.connect ? connack5(0) : undefined),
    async (url) => {
      isUnavailable((await write({ "mqtt-url": url })).error, /no answer/);
    },
  );
});

test("a broker that ends the connection is tried again with the whole batch", async () => {
  const script: Script = ({ type, body, connection }) => {
    if (type === packetType.connect) return connack5(0);
    if (type !== packetType.publish) return undefined;
    return connection === 1 ? packet(0xe0, 0x8b, 0) : packet(0x40, identifierOf(body), 0);
  };
  await withBroker(script, async (url, { received }) => {
    const sink = await (await mqttSink.configure({ "mqtt-url": url })).open({
      stdout: process.stdout,
      say: () => undefined,
    });
    const batch: readonly MappedMessage[] = maker.numbers(3);
    await assert.rejects(sink.write(batch), SinkUnavailable);
    assert.equal(await sink.write(batch), 3);
    const again = received.filter((one) => one.type === packetType.publish && one.connection === 2);
    assert.equal(again.length, 3);
    await sink.close();
  });
});

test("QoS 0, where it is asked for, is done when the broker has read it", async () => {
  const script: Script = ({ type }) => {
    if (type === packetType.connect) return connack5(0);
    return type === packetType.pingreq ? [0xd0, 0] : undefined;
  };
  await withBroker(script, async (url, { received }) => {
    const { error } = await write({ "mqtt-url": url, "mqtt-qos": "0" });
    assert.equal(error, undefined);
    const types = received.map(({ type }) => type);
    assert.deepEqual(types.slice(0, 5), [1, 3, 3, 3, 12]);
  });
});

test("a port on which nobody listens and a wrong password are said, without the password", async () => {
  const port = await findFreePort();
  const away = await write({ "mqtt-url": `mqtt://ada:geheim@127.0.0.1:${port}` });
  isUnavailable(away.error, new RegExp(`MQTT broker at mqtt://127.0.0.1:${port} .*refused`));
  const yaml = "users: [{ name: ada, password: other, rights: '#' }]\n";
  const broker = await ServeProcess.start({ yaml });
  try {
    const values = { "mqtt-url": `mqtt://ada@127.0.0.1:${broker.port}`, "mqtt-password": "geheim" };
    const { error } = await write(values);
    isUnavailable(error, /does not let us in: .*TSTACK_SINK_MQTT_PASSWORD/);
    assert.ok(!`${error}${away.error}`.includes("geheim"));
    assert.equal((await write({ ...values, "mqtt-password": "other" })).error, undefined);
  } finally {
    await broker.stop();
  }
});

test("TLS asks for the CA's certificate", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "mqtt-tls-"));
  makeCertificates(folder);
  const [cert, key] = ["server.crt", "server.key"].map((name) => path.join(folder, name));
  const yaml = `listen:\n  - { url: "mqtts://127.0.0.1:0", tls: { cert: ${cert}, key: ${key} } }\n`;
  const broker = await ServeProcess.start({ yaml });
  try {
    const values = { "mqtt-url": `mqtts://localhost:${broker.port}` };
    isUnavailable((await write(values)).error, /its certificate is not trusted/);
    const trusting = { ...values, "mqtt-cafile": path.join(folder, "ca.crt") };
    assert.equal((await write(trusting)).error, undefined);
  } finally {
    await broker.stop();
    rmSync(folder, { recursive: true });
  }
});
