/** What tpublish and tsubscribe do with a broker's refusals, limits and farewells, in 3.1.1 and 5.0. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, ServerOpts } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { run, start, startSubscribed } from "./programs.ts";
import { connack, connack5, packet, packetType, ScriptedBroker, text } from "./scripted-broker.ts";

type Script = Parameters<typeof ScriptedBroker.start>[0];

async function serve(context: TestContext, script: Script, options: ServerOpts = {}) {
  const broker = await ScriptedBroker.start(script, options);
  context.after(() => broker.stop());
  return { broker, at: ["-h", "127.0.0.1", "-p", String(broker.port)] };
}

const reasonString = (reason: string) => [0x1f, ...text(reason)];

for (const [code, told] of [
  [1, "protocol version is not spoken"],
  [2, "client identifier rejected"],
  [3, "server unavailable"],
  [4, "bad user name or password"],
  [5, "not authorized"],
] as const) {
  test(`CONNACK ${code} of 3.1.1 is the exit code, told in words, not tried again`, async (context) => {
    const { broker, at } = await serve(context, () => packet(0x20, 0, code));
    for (const name of ["tpublish", "tsubscribe"] as const) {
      const message = name === "tpublish" ? ["-m", "x"] : [];
      const ended = await run(name, [...at, "-t", "a", ...message]);
      assert.equal(ended.code, code);
      assert.match(ended.stderr, new RegExp(`refused the connection: .*${told}`));
    }
    assert.equal(broker.connections, 2);
  });
}

test("CONNACK 0x87 of 5.0 is exit code 135, with the broker's reason string", async (context) => {
  const { at } = await serve(context, () => connack5(0x87, reasonString("not on Sundays")));
  const ended = await run("tsubscribe", [...at, "-V", "5", "-t", "a"]);
  assert.equal(ended.code, 135);
  assert.match(
    ended.stderr,
    /refused the connection: not authorized \(code 135\): not on Sundays\n$/,
  );
});

test("a refusal for now, after the connection was there, is tried again", async (context) => {
  const { broker, at } = await serve(context, ({ type, body, connection }) => {
    if (type === packetType.subscribe) return packet(0x90, body[0], body[1], 0);
    if (type !== packetType.connect) return "close";
    return packet(0x20, 0, connection === 2 ? 3 : 0);
  });
  const subscriber = await startSubscribed([...at, "-t", "a", "-k", "1"]);
  await subscriber.saw("refused the connection: server unavailable (code 3); trying again");
  while (broker.connections < 3) await sleep(10);
  subscriber.child.kill("SIGKILL");
});

test("a bad password after the connection was there ends it, with the code", async (context) => {
  const { at } = await serve(context, ({ type, connection }) => {
    if (type === packetType.subscribe) return "close";
    return packet(0x20, 0, connection === 1 ? 0 : 4);
  });
  const ended = await run("tsubscribe", [...at, "-t", "a"]);
  assert.equal(ended.code, 4);
});

test("a SUBACK that refuses everything ends it with 1, and says which and why", async (context) => {
  const { at } = await serve(context, ({ type, body }) => {
    if (type === packetType.connect) return connack5(0);
    const properties = reasonString("ask Ada");
    return packet(0x90, body[0], body[1], properties.length, properties, 0x87);
  });
  const ended = await run("tsubscribe", [...at, "-V", "5", "-t", "secret/#"]);
  assert.equal(ended.code, 1);
  assert.equal(
    ended.stderr,
    "tsubscribe: subscribing to secret/# was refused: not authorized (code 135): ask Ada\n",
  );
});

test("a SUBACK of 3.1.1 that refuses one of two says which, and goes on", async (context) => {
  const { at } = await serve(context, ({ type, body }) => {
    if (type === packetType.connect) return connack;
    const message = packet(0x30, text("b"), 0x78);
    return [...packet(0x90, body[0], body[1], 0x80, 0), ...message];
  });
  const ended = await run("tsubscribe", [...at, "-t", "a", "-t", "b", "-C", "1"]);
  assert.deepEqual([ended.code, ended.stdout], [0, "x\n"]);
  assert.match(ended.stderr, /^tsubscribe: subscribing to a was refused: .*try -V 5\n$/);
});

test("a PUBACK that refuses ends it with 1, and says why", async (context) => {
  const { at } = await serve(context, ({ type, body }) => {
    if (type === packetType.connect) return connack5(0);
    const properties = reasonString("no");
    const topicBytes = 2 + body.readUInt16BE(0);
    return packet(
      0x40,
      body[topicBytes],
      body[topicBytes + 1],
      0x87,
      properties.length,
      properties,
    );
  });
  const ended = await run("tpublish", [...at, "-V", "5", "-q", "1", "-t", "a", "-m", "x"]);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /publishing to a was refused: not authorized \(code 135\): no\n$/);
});

test("DISCONNECT 0x8E, session taken over, ends it: two would throw each other out for ever", async (context) => {
  const { broker, at } = await serve(context, ({ type }) =>
    type === packetType.connect ? connack5(0) : packet(0xe0, 0x8e, 0),
  );
  const ended = await run("tsubscribe", [...at, "-V", "5", "-t", "a"]);
  assert.deepEqual([ended.code, broker.connections], [1, 1]);
  assert.match(
    ended.stderr,
    /ended the connection: session taken over \(code 142\); another client has come .* -i\n$/,
  );
});

test("DISCONNECT 0x8B, server shutting down, is tried again, unless --no-reconnect", async (context) => {
  const { broker, at } = await serve(context, ({ type, body, connection }) => {
    if (type === packetType.connect) return connack5(0);
    if (type !== packetType.subscribe) return undefined;
    if (connection !== 2) return packet(0xe0, 0x8b, 0);
    return [...packet(0x90, body[0], body[1], 0, 0), ...packet(0x30, text("a"), 0, 0x78)];
  });
  const ended = await run("tsubscribe", [...at, "-V", "5", "-t", "a", "-C", "1"]);
  assert.deepEqual([ended.code, ended.stdout, broker.connections], [0, "x\n", 2]);
  assert.match(ended.stderr, /server shutting down \(code 139\); trying again\n$/);
  const once = await run("tsubscribe", [...at, "-V", "5", "-t", "a", "--no-reconnect"]);
  assert.deepEqual([once.code, broker.connections], [1, 3]);
});

const limits: readonly [name: string, property: number[], args: string[], told: RegExp][] = [
  ["Maximum QoS 1", [0x24, 1], ["-q", "2"], /takes QoS 1 at most: lower -q/],
  ["Retain Available 0", [0x25, 0], ["-r"], /retains no messages: leave -r away/],
  ["Maximum Packet Size 20", [0x27, 0, 0, 0, 20], [], /100 bytes: the broker takes 20 bytes/],
];
for (const [name, property, args, told] of limits) {
  test(`${name} of the broker is told before anything is sent`, async (context) => {
    const { broker, at } = await serve(context, () => connack5(0, property));
    const message = ["-V", "5", "-t", "a", "-m", "x".repeat(100)];
    const ended = await run("tpublish", [...at, ...message, ...args]);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, told);
    assert.ok(!broker.received.some(({ type }) => type === packetType.publish));
  });
}

test("5.0 [MQTT-3.3.4-7] Receive Maximum 2: never more than two messages without PUBACK", async (context) => {
  const unacknowledged: number[] = [];
  let most = 0;
  const { at } = await serve(context, ({ type, body }) => {
    if (type === packetType.connect) return connack5(0, 0x21, 0, 2);
    if (type !== packetType.publish) return undefined;
    unacknowledged.push(body[3], body[4]);
    most = Math.max(most, unacknowledged.length / 2);
    if (unacknowledged.length < 4) return undefined;
    return unacknowledged
      .splice(0)
      .flatMap((_byte, index, ids) =>
        index % 2 === 0 ? packet(0x40, ids[index], ids[index + 1]) : [],
      );
  });
  const lines = "x\n".repeat(10);
  const args = ["-V", "5", "-t", "a", "-q", "1", "-l"];
  const ended = await run("tpublish", [...at, ...args], { stdin: lines });
  assert.deepEqual([ended.code, most], [0, 2]);
});

test("a topic alias of the broker does not hide the topic, at QoS 2 either", async (context) => {
  const { at } = await serve(context, ({ type, body }) => {
    if (type === packetType.connect) return connack5(0);
    if (type === packetType.subscribe) {
      const first = packet(0x34, text("a/b"), 0, 1, 3, 0x23, 0, 1, 0x78);
      const second = packet(0x34, text(""), 0, 2, 3, 0x23, 0, 1, 0x79);
      return [...packet(0x90, body[0], body[1], 0, 2), ...first, ...second];
    }
    return type === 5 ? packet(0x62, body[0], body[1]) : undefined;
  });
  const args = ["-t", "a/b", "-q", "2", "-D", "connect", "topic-alias-maximum", "5"];
  const ended = await run("tsubscribe", [...at, ...args, "-C", "2", "-F", "%t %A %p"]);
  assert.equal(ended.stdout, "a/b 1 x\na/b 1 y\n");
});

test("a web server that knows no such path is told as such", async (context) => {
  const server = createServer((_request, response) => response.writeHead(404).end());
  context.after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const ended = await run("tsubscribe", ["-L", `ws://127.0.0.1:${port}/no`, "-t", "a"]);
  assert.equal(ended.code, 1);
  assert.match(
    ended.stderr,
    /answered with HTTP 404, no WebSocket: is the path of the URL right\?/,
  );
});

test("a server that does not speak MQTT is told as such", async (context) => {
  const { at } = await serve(context, () => [...Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")]);
  const ended = await run("tsubscribe", [...at, "-t", "a"]);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /no MQTT/);
});

test("a server that closes at once is told as such", async (context) => {
  const { at } = await serve(context, () => "close");
  const ended = await run("tpublish", [...at, "-t", "a", "-m", "x"]);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /closed the connection before it answered/);
});

test("Ctrl-C while messages are not acknowledged is 1, and says how many", async (context) => {
  const { at } = await serve(context, ({ type }) =>
    type === packetType.connect ? connack : undefined,
  );
  const publisher = start("tpublish", [...at, "-d", "-q", "1", "-t", "a", "-l"], {
    stdin: "1\n2\n",
  });
  await publisher.saw("sent PUBLISH");
  publisher.child.kill("SIGINT");
  const ended = await publisher.ended;
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /interrupted, 2 not delivered\n$/);
});

test("a second Ctrl-C does not wait for a broker that does not close", async (context) => {
  const answer: Script = ({ type, body }) => {
    if (type === packetType.connect) return connack;
    return type === packetType.subscribe ? packet(0x90, body[0], body[1], 0) : undefined;
  };
  const { at } = await serve(context, answer, { allowHalfOpen: true });
  const subscriber = await startSubscribed([...at, "-t", "a"]);
  subscriber.child.kill("SIGINT");
  await subscriber.saw("sent DISCONNECT");
  const begin = Date.now();
  subscriber.child.kill("SIGINT");
  assert.equal((await subscriber.ended).code, 130);
  assert.ok(Date.now() - begin < 1500);
});
