/** What tconsume says when the broker, another client or another program is in its way. */
import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { ConsumeWorld, interrupt, until } from "./consume-world.ts";
import { connack5, packet, packetType, ScriptedBroker, text } from "./scripted-broker.ts";
import { ServeProcess } from "./tserve-process.ts";

async function serveUsers(context: TestContext): Promise<ServeProcess> {
  const broker = await ServeProcess.start({
    yaml: "users:\n  - name: meter\n    password: secret-9431\n    rights: ['meter/#']\n",
  });
  context.after(() => broker.stop());
  return broker;
}

test("a wrong password is the exit code, and is not told", async (context) => {
  const broker = await serveUsers(context);
  const world = new ConsumeWorld(context, broker.port);
  const { code, stderr } = await world.run("-u", "meter", "-P", "wrong-5511");
  assert.equal(code, 134, stderr);
  assert.match(stderr, /refused the connection: bad user name or password/);
  assert.doesNotMatch(stderr, /5511/);
});

test("without -t it takes what belongs to the user; what is refused is told, and all refused ends it", async (context) => {
  const broker = await serveUsers(context);
  const world = new ConsumeWorld(context, broker.port);
  const login = ["-u", "meter", "-P", "secret-9431"];
  const own = await world.consuming(...login);
  assert.match(own.stderr, /consumes meter\/# from/);
  await interrupt(own);
  const partly = await world.consuming(...login, "-t", "meter/a", "-t", "other/#");
  assert.match(partly.stderr, /subscribing to other\/# was refused: not authorized \(code 135\)/);
  assert.match(partly.stderr, /consumes meter\/a from/);
  await interrupt(partly);
  const { code, stderr } = await world.run(...login, "-t", "other/#");
  assert.equal(code, 1);
  assert.match(stderr, /subscribing to other\/# was refused/);
});

for (const [version, code] of [
  ["5", 135],
  ["311", 5],
] as const) {
  test(`-V ${version}: a broker that refuses the will of the status topic: the line leads there`, async (context) => {
    const broker = await serveUsers(context);
    const world = new ConsumeWorld(context, broker.port);
    const login = ["-u", "meter", "-P", "secret-9431", "-V", version];
    const { code: exitCode, stderr } = await world.run(...login, "--status-topic", "other/status");
    assert.equal(exitCode, code);
    assert.match(
      stderr,
      /not authorized .*may this user publish to other\/status, as --status-topic/,
    );
  });
}

test("a port for metrics that is taken is told before anything is consumed", async (context) => {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  context.after(() => server.close());
  const { port } = server.address() as { port: number };
  const { code, stderr } = await new ConsumeWorld(context, 1).run("--metrics", String(port));
  assert.equal(code, 1);
  assert.match(stderr, /--metrics 127\.0\.0\.1:\d+: another program listens there already/);
});

test("5.0 [MQTT-3.1.2-23] a broker that keeps the session for less time than asked is told of, and less QoS too", async (context) => {
  const broker = await ScriptedBroker.start(({ type, body }) => {
    if (type === packetType.connect) return connack5(0, 0x11, [0, 0, 0, 60]);
    if (type === packetType.subscribe) return packet(0x90, body[0], body[1], 0, 0);
    return undefined;
  });
  context.after(() => broker.stop());
  const consumer = await new ConsumeWorld(context, broker.port).consuming("-t", "a");
  assert.match(consumer.stderr, /keeps the session for 60 s only, not 604800/);
  assert.match(consumer.stderr, /grants QoS 0 only for a, not 1/);
  consumer.child.kill("SIGKILL");
  await consumer.ended;
});

test("a broker before MQTT 5 that refuses the version: the line says which to try", async (context) => {
  const broker = await ScriptedBroker.start(() => packet(0x20, 0, 1));
  context.after(() => broker.stop());
  const { code, stderr } = await new ConsumeWorld(context, broker.port).run();
  assert.notEqual(code, 0);
  assert.match(stderr, /-V/);
});

test("5.0 [MQTT-3.1.2-21] while the pipeline has no room, the connection is kept alive as often as the broker wants", async (context) => {
  const sink = createServer(); // takes requests and answers none
  await new Promise<void>((resolve) => {
    sink.listen(0, "127.0.0.1", resolve);
  });
  context.after(() => sink.close());
  const { port } = sink.address() as AddressInfo;
  const serverKeepAliveOneSecond = [0x13, 0, 1];
  const publish = packet(0x32, text("a"), [0, 1], 0, 0x31);
  const broker = await ScriptedBroker.start(({ type, body }) => {
    if (type === packetType.connect) return connack5(0, serverKeepAliveOneSecond);
    if (type !== packetType.subscribe) return undefined;
    return [...packet(0x90, [...body.subarray(0, 2)], 0, 1), ...publish];
  });
  context.after(() => broker.stop());
  const world = new ConsumeWorld(context, broker.port);
  const url = `http://127.0.0.1:${port}/`;
  const few = ["--pending-messages", "1", "-t", "a"];
  const consumer = await world.consuming(...few, "--sink", "http", "--http-url", url);
  const pings = () => broker.received.filter(({ type }) => type === packetType.pingreq).length;
  await until("more pings than one", () => pings() >= 5 || broker.connections > 1);
  assert.equal(broker.connections, 1, consumer.stderr);
  consumer.child.kill("SIGKILL");
  await consumer.ended;
});
