/** How tbench ends when it does not go well: one line that says what to do, and its exit code. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Results } from "../../src/cli/bench/results.ts";
import { run } from "../../src/cli/tbench.ts";
import { withBroker } from "../interop/broker-process.ts";
import { runInMemory } from "./memory-io.ts";
import { findFreePort } from "./mosquitto.ts";
import { RunningProgram, start } from "./programs.ts";
import { connack, connack5, packet, packetType, ScriptedBroker } from "./scripted-broker.ts";

type Script = Parameters<typeof ScriptedBroker.start>[0];

async function serve(context: TestContext, script: Script) {
  const broker = await ScriptedBroker.start(script);
  context.after(() => broker.stop());
  return { broker, at: ["-h", "127.0.0.1", "-p", String(broker.port)] };
}

const bench = (...args: readonly string[]) => runInMemory(run, args);

/** A broker that takes everything, and lets `publish` say what happens to a PUBLISH of QoS 1 to the topic "a". */
function takeAll(
  publish: (identifier: readonly [number, number], body: Buffer) => readonly number[],
): Script {
  return ({ type, body }) => {
    if (type === packetType.connect) return connack;
    if (type === packetType.subscribe) return packet(0x90, body[0], body[1], 1);
    if (type === packetType.publish) return publish([body[3], body[4]], body);
    return undefined;
  };
}

const one = ["--publishers", "1", "--subscribers", "1", "-t", "a", "-q", "1", "-s", "28"];

test("nobody listening: one line, and 1", async () => {
  const port = String(await findFreePort());
  assert.deepEqual(await bench("fan", "-h", "127.0.0.1", "-p", port), {
    code: 1,
    stdout: "",
    stderr: `tbench fan: mqtt://127.0.0.1:${port}: connection refused: is a broker listening there?\n`,
  });
});

test("a wrong password is told once, with the code of the refusal", async (context) => {
  const { broker, at } = await serve(context, () => packet(0x20, 0, 4));
  const ended = await bench("conn", ...at, "-n", "500", "-u", "a", "-P", "b");
  assert.deepEqual([ended.code, ended.stdout, broker.connections], [4, "", 1]);
  assert.match(
    ended.stderr,
    /^tbench conn: mqtt:.* refused the connection: bad user name or password \(code 4\)\n$/,
  );
});

test("conn counts those that are refused, by their reasons, and goes on", async () => {
  await withBroker(async (broker) => {
    const at = ["-h", "127.0.0.1", "-p", String(broker.port), "-V", "5"];
    const ended = await bench("conn", ...at, "-n", "20", "--hold", "0.2", "--json");
    const { connections } = JSON.parse(ended.stdout) as Results;
    assert.deepEqual([connections.opened, connections.failed], [15, 5]);
    assert.deepEqual(Object.values(connections.reasons), [5]);
    const code = Number(/\(code (\d+)\)/.exec(Object.keys(connections.reasons)[0])?.[1]);
    assert.equal(ended.code, code);
    assert.match(
      ended.stderr,
      /^tbench conn: 15 of 20 clients are connected: .* refused the connection: /,
    );
    const fan = await bench("fan", ...at, "--subscribers", "19");
    assert.equal(fan.code, code);
    assert.match(
      fan.stderr,
      /^tbench fan: \d+ of 20 clients are connected: .* refused the connection: /,
    );
  }, "limits: { connectionsMax: 15 }\n");
});

test("a subscription that is refused", async (context) => {
  const { at } = await serve(context, ({ type, body }) =>
    type === packetType.connect ? connack5(0) : packet(0x90, body[0], body[1], 0, 0x87),
  );
  const ended = await bench("sub", ...at, "-V", "5", "-t", "secret/#");
  assert.deepEqual([ended.code, ended.stdout], [1, ""]);
  assert.match(
    ended.stderr,
    /subscribing to secret\/# was refused: not authorized \(code 135\)\n$/,
  );
});

test("messages that are refused", async (context) => {
  const { at } = await serve(context, ({ type, body }) =>
    type === packetType.connect ? connack5(0) : packet(0x40, body[3], body[4], 0x97, 0),
  );
  const args = ["-V", "5", "-t", "a", "-q", "1", "-n", "1", "--messages", "3", "-s", "28"];
  const ended = await bench("pub", ...at, ...args);
  assert.deepEqual(
    [ended.code, ended.stderr],
    [1, "tbench pub: 3 messages refused: quota exceeded (code 151)\n"],
  );
});

test("a broker that acknowledges and does not deliver: lost, and 1", async (context) => {
  const { at } = await serve(
    context,
    takeAll((identifier) => packet(0x40, ...identifier)),
  );
  const ended = await bench("fan", ...at, ...one, "--messages", "5", "--json");
  const { received, sent, ended: reason } = JSON.parse(ended.stdout) as Results;
  assert.deepEqual([sent?.acknowledged, received?.expected, received?.lost], [5, 5, 5]);
  assert.equal(reason, "all done");
  assert.deepEqual([ended.code, ended.stderr], [1, "tbench fan: 5 messages lost\n"]);
});

/** Both clients of a fan are one connection each; what the publisher sends goes to the other by a file of sockets. */
function mix(order: readonly number[]): Script {
  const held: Buffer[] = [];
  let polls = 0;
  return ({ type, body, connection }) => {
    if (type === packetType.connect) return connack;
    if (type === packetType.subscribe) return packet(0x90, body[0], body[1], 1);
    if (type === packetType.publish) {
      held.push(body);
      return packet(0x40, body[3], body[4]);
    }
    if (type === packetType.pingreq && connection === 1 && held.length === 3) {
      polls += 1;
      if (polls === 1) return order.flatMap((index) => packet(0x32, ...[...held[index]]));
    }
    return packet(0xd0);
  };
}

test("what comes twice and out of order is found", async (context) => {
  const { at } = await serve(context, mix([1, 0, 2, 2]));
  const ended = await bench("fan", ...at, ...one, "--messages", "3", "-k", "1", "--json");
  const { received } = JSON.parse(ended.stdout) as Results;
  assert.deepEqual(
    [received?.messages, received?.lost, received?.duplicates, received?.outOfOrder],
    [4, 0, 1, 1],
  );
  assert.deepEqual([ended.code, ended.stderr], [1, "tbench fan: 1 message out of order\n"]);
});

test("acknowledgements in any order keep packet identifiers apart", async (context) => {
  const underWay = new Set<number>();
  const batch: number[] = [];
  let reused = 0;
  const { at, broker } = await serve(context, ({ type, body }) => {
    if (type === packetType.connect) return connack;
    if (type !== packetType.publish) return undefined;
    const identifier = body.readUInt16BE(3);
    if (underWay.has(identifier) || identifier === 0) reused += 1;
    underWay.add(identifier);
    batch.push(identifier);
    if (batch.length < 7) return undefined;
    for (const settled of batch) underWay.delete(settled);
    return batch
      .splice(0)
      .reverse()
      .flatMap((id) => packet(0x40, id >> 8, id & 0xff));
  });
  const args = ["-n", "1", "-t", "a", "-q", "1", "-s", "0", "-M", "7", "--messages", "70000"];
  const ended = await bench("pub", ...at, ...args);
  assert.deepEqual([ended.code, ended.stderr, reused], [0, "", 0]);
  assert.equal(broker.received.filter(({ type }) => type === packetType.publish).length, 70_000);
});

test("Receive Maximum 2: two messages without PUBACK, and no third", async (context) => {
  const { at, broker } = await serve(context, ({ type }) =>
    type === packetType.connect ? connack5(0, 0x21, 0, 2) : undefined,
  );
  const args = ["-V", "5", "-n", "1", "-t", "a", "-q", "1", "--messages", "100", "-W", "1"];
  assert.equal((await bench("pub", ...at, ...args)).code, 27);
  assert.equal(broker.received.filter(({ type }) => type === packetType.publish).length, 2);
});

for (const [name, property, args, told] of [
  ["Maximum QoS 1", [0x24, 1], ["-q", "2"], /takes QoS 1 at most: lower -q/],
  ["Retain Available 0", [0x25, 0], ["-r"], /retains no messages: leave -r away/],
  [
    "Maximum Packet Size 20",
    [0x27, 0, 0, 0, 20],
    [],
    /takes packets of 20 bytes, and these have \d+: lower -s/,
  ],
  [
    "Maximum Packet Size 35, one byte too little",
    [0x27, 0, 0, 0, 35],
    ["-q", "1", "-s", "28", "-t", "a"],
    /takes packets of 35 bytes, and these have 36: lower -s/,
  ],
] as const) {
  test(`${name}: a limit of the broker is told before anything is sent`, async (context) => {
    const { at, broker } = await serve(context, () => connack5(0, [...property]));
    const ended = await bench("pub", ...at, "-V", "5", ...args);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, told);
    assert.ok(!broker.received.some(({ type }) => type === packetType.publish));
  });
}

test("the broker goes away: the results so far, and why", async () => {
  await withBroker(async (broker) => {
    const { client, inbox } = await broker.connect();
    await client.subscribeAsync("a");
    const at = ["-h", "127.0.0.1", "-p", String(broker.port)];
    const program = start("tbench", ["fan", ...at, "-t", "a", "-q", "1", "--rate", "50"]);
    await inbox.waitFor(10);
    await broker.restart();
    const ended = await program.ended;
    assert.equal(ended.code, 1);
    assert.match(ended.stdout, /ended {9}connection lost, after [\d.]+ s of messages\n/);
    assert.match(ended.stdout, /sent +[\d,]+ messages/);
    const told = /^tbench fan: \d+ connections? lost: mqtt:.* closed the connection/;
    assert.match(ended.stderr, told);
  });
});

test("a server that speaks no MQTT", async (context) => {
  const { at } = await serve(context, () => [...Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")]);
  const ended = await bench("fan", ...at);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /^tbench fan: .*what answers there speaks no MQTT\n$/);
});

test("Ctrl-C ends a run with its results, and 0", async () => {
  await withBroker(async (broker) => {
    const at = ["-h", "127.0.0.1", "-p", String(broker.port)];
    const program = start("tbench", ["sub", ...at, "-n", "3"]);
    await program.saw("3 clients are subscribed");
    program.child.kill("SIGINT");
    const ended = await program.ended;
    assert.equal(ended.code, 0);
    assert.match(ended.stdout, /ended {9}interrupted/);
  });
});

test("-W ends with 27, and with the results so far", async (context) => {
  const { at } = await serve(context, () => connack);
  const ended = await bench("conn", ...at, "-n", "3", "--hold", "60", "-W", "1");
  assert.deepEqual([ended.code, ended.stderr], [27, "tbench conn: timed out\n"]);
  assert.match(ended.stdout, /ended {9}timed out\n.*3 of 3 opened/);
});

test("more connections than files: what to do is told", async () => {
  await withBroker(async (broker) => {
    const file = `${import.meta.dirname}/../../src/cli/tbench.ts`;
    const command = `ulimit -n 200; exec "$0" "$@"`;
    const args = [file, "conn", "-h", "127.0.0.1", "-p", String(broker.port), "-n", "400"];
    const { ended } = new RunningProgram("sh", ["-c", command, process.execPath, ...args]);
    const { code, stderr } = await ended;
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^tbench conn: \d+ of 400 clients are connected: .*ulimit -n before tbench\n$/,
    );
  });
});

for (const [args, told] of [
  [[], /^tbench: say first what to measure: conn, pub, sub, latency, fan \(see tbench --help\)\n$/],
  [["-h", "localhost"], /say first what to measure/],
  [["fun"], /there is no command "fun"; there are conn, pub, sub, latency, fan /],
  [
    ["fan", "--messages", "x"],
    /^tbench fan: --messages takes a number .* \(see tbench fan --help\)\n$/,
  ],
  [["pub", "--rate", "0"], /--rate takes messages a second, above 0/],
  [["pub", "-t", "a/#"], /the topic "a\/#" has a wildcard/],
  [["sub", "-t", "a/#/b"], /the topic filter "a\/#\/b" has a # before its end/],
  [["latency", "-t", "a"], /-t needs a %i/],
  [["latency", "-s", "27"], /-s of 28 at least/],
  [["fan", "--filter", "b"], /nobody subscribes to "tbench\/.*": give another --filter/],
  [["fan", "-t", "a/%i", "--publishers", "3", "--subscribers", "2"], /nobody subscribes to "a\/2"/],
  [["sub", "-t", "$share/a/b", "-t", "b"], /-t: all of one \$share\/GROUP\/, or none/],
  [["sub", "-t", "$share/a/b", "-t", "$share/b/b"], /-t: all of one \$share\/GROUP\/, or none/],
  [["conn", "-p", "secret"], /-p is the port, a number; the password is -P/],
] as const) {
  test(`a mistake is told: tbench ${args.join(" ")}`, async () => {
    const ended = await bench(...args);
    assert.deepEqual([ended.code, ended.stdout], [1, ""]);
    assert.match(ended.stderr, told);
  });
}
