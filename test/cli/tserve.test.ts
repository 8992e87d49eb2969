/** tserve as a process, with mosquitto's clients and MQTT.js as its clients. */
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import path from "node:path";
import { test } from "node:test";
import mqtt from "mqtt";
import { RunningProgram } from "./programs.ts";
import { ServeProcess, withoutMosquittoClients as skip } from "./tserve-process.ts";

const root = path.join(import.meta.dirname, "../..");

test("tserve: clients of this machine need no password, and find each other", {
  skip,
}, async () => {
  const server = await ServeProcess.start();
  try {
    for (const version of ["31", "311", "5"]) {
      const topic = `hello/${version}`;
      const sent = await server.run("mosquitto_pub", "-V", version, "-t", topic, "-m", "x", "-r");
      assert.deepEqual([sent.code, sent.stderr], [0, ""]);
      const got = await server.run(
        "mosquitto_sub",
        "-V",
        version,
        "-t",
        topic,
        "-C",
        "1",
        "-W",
        "5",
      );
      assert.deepEqual([got.code, got.stdout], [0, "x\n"]);
    }
    const told = ["-t", "$SYS/broker/version", "-C", "1", "-W", "5"];
    assert.match((await server.run("mosquitto_sub", ...told)).stdout, /^tstack|tserve|\d/i);
    // A name is not checked where there are no users, and lets in all the same.
    const named = await server.run("mosquitto_pub", "-u", "x", "-P", "y", "-t", "a", "-m", "b");
    assert.equal(named.code, 0);
  } finally {
    const { code } = await server.stop();
    assert.equal(code, 0);
  }
});

test("tserve says where it listens, who may connect, what it keeps and what to try", async () => {
  const server = await ServeProcess.start({ args: ["--memory", "--log-format", "pretty"] });
  const { stdout, stderr } = await server.stop();
  assert.equal(stderr, "");
  assert.match(stdout, /^tserve \d+\.\d+\.\d+ listens on mqtt:\/\/127\.0\.0\.1:\d+\n/);
  assert.match(stdout, /\n {2}who may connect +anyone on this machine, without a password/);
  assert.match(
    stdout,
    /\n {2}what is kept +memory: sessions, queues and retained messages end with/,
  );
  assert.match(stdout, /\n {2}try next +npx tsubscribe -p \d+ -v -t '#' {3}and {3}npx tpublish -p/);
});

test("tserve: the commands that it says to try work", { timeout: 60_000 }, async () => {
  const server = await ServeProcess.start({ args: ["--log-format", "json"] });
  try {
    const records = server.output.split("\n").filter((line) => line !== "");
    const { commands } = records.map((line) => JSON.parse(line)).find((line) => line.commands);
    assert.equal(commands.length, 2);
    const bin = (command: string) =>
      `exec node ${root}/bin/${command.replace("npx ", "").replace(" ", ".js ")}`;
    const subscriber = new RunningProgram("sh", ["-c", `${bin(commands[0])} -d -C 1 -W 20`]);
    await subscriber.saw("subscribed");
    const publisher = new RunningProgram("sh", ["-c", bin(commands[1])], { stdin: "" });
    assert.equal((await publisher.ended).code, 0);
    const { code, stdout } = await subscriber.ended;
    assert.deepEqual([code, stdout], [0, "hello world\n"]);
  } finally {
    await server.stop();
  }
});

test("tserve: every line of the json log is a record", async () => {
  const server = await ServeProcess.start({ args: ["--log-format", "json"] });
  const { stdout } = await server.stop();
  const records = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.equal(records[0].level, "info");
  assert.deepEqual(records[0].listen, [`mqtt://127.0.0.1:${server.port}`]);
  assert.match(records[0].time, /^\d{4}-\d\d-\d\dT/);
  assert.equal(records.at(-1).msg, "closed");
});

test("tserve: a log level is the least that is logged", async () => {
  const environment = { TSTACK_LOG_LEVEL: "silent" };
  const server = await ServeProcess.start({ args: ["--log-level", "info"], environment });
  await server.stop();
  assert.notEqual(server.port, 0);
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`tserve: ${signal} tells 5.0 clients 0x8B and ends with 0`, async () => {
    const server = await ServeProcess.start();
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.port}`, {
      protocolVersion: 5,
      reconnectPeriod: 0,
    });
    // 3.1.1 has no DISCONNECT from the server: the connection just ends.
    const older = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.port}`, {
      protocolVersion: 4,
      reconnectPeriod: 0,
    });
    const told = new Promise<{ reasonCode?: number }>((resolve) => {
      client.once("disconnect", resolve);
    });
    const closed = Promise.all(
      [client, older].map((each) => new Promise<void>((resolve) => each.once("close", resolve))),
    );
    const started = performance.now();
    const { code } = await server.stop(signal);
    assert.equal(code, 0);
    assert.ok(performance.now() - started < 8000);
    assert.equal((await told).reasonCode, 0x8b); // [MQTT-3.14.0-1]
    await closed;
  });
}

test("tserve: a client that reads nothing does not hold up the end", async () => {
  const server = await ServeProcess.start();
  const socket = net.connect(server.port, "127.0.0.1");
  socket.on("error", () => undefined); // the broker cuts it off
  await once(socket, "connect");
  // CONNECT of 5.0 with clean start, and a subscription to all.
  socket.write(Buffer.from("101000044d51545405020000000003737562", "hex"));
  socket.write(Buffer.from("8207000100000123" + "00", "hex"));
  socket.pause();
  const publisher = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.port}`, {
    reconnectPeriod: 0,
  });
  for (let count = 0; count < 200; count++) publisher.publish("x", Buffer.alloc(100_000));
  await publisher.publishAsync("x", "last", { qos: 1 });
  const started = performance.now();
  const { code } = await server.stop();
  socket.destroy();
  assert.equal(code, 0);
  assert.ok(performance.now() - started < 12_000);
  publisher.end(true);
});

test("tserve: the environment and --config work together", { skip }, async () => {
  const yaml =
    "users: [{ name: ada, passwordFile: ada.secret, rights: '#' }]\nsysTopicsSeconds: 0\n";
  const environment = { TSTACK_USERS_0_PASSWORD: "", TSTACK_LIMITS_PACKET_BYTES_MAX: "200" };
  await assert.rejects(ServeProcess.start({ yaml, environment }), /ada\.secret: no such file/);
  const withPassword = yaml.replace("passwordFile: ada.secret", "password: secret");
  const server = await ServeProcess.start({ yaml: withPassword, environment });
  try {
    assert.match(server.output, /has its password in clear \(tserve\.yaml:1\)/);
    // 3.1.1, because mosquitto_pub holds back what a 5.0 broker says is too large.
    const publish = ["-u", "ada", "-P", "secret", "-V", "311", "-q", "1", "-t", "a", "-m"];
    assert.equal((await server.run("mosquitto_pub", ...publish, "short")).code, 0);
    const long = await server.run("mosquitto_pub", ...publish, "x".repeat(300));
    assert.equal(long.code, 7); // the connection was lost
    assert.match(server.output, /this broker takes up to 200 \(packetBytesMax\)/);
  } finally {
    await server.stop();
  }
});

test("tserve: an error that nobody caught is logged with what to do, and ends it with 1", async () => {
  const failing = 'process.on("SIGUSR2", () => Promise.reject(new Error("boom")))';
  const environment = {
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(failing)}`,
  };
  const server = await ServeProcess.start({ environment });
  server.running.child.kill("SIGUSR2");
  const { code, stdout } = await server.running.ended;
  assert.equal(code, 1);
  const record = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
  assert.equal(record.level, "fatal");
  assert.match(record.msg, /a bug in tserve: .* start it again and report this/);
  assert.match(record.error.stack, /boom/);
});
