/** What mosquitto's clients do beyond plain messages: properties of 5.0, `-F %j`, requests and responses, Unix sockets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { withoutMosquittoClients as skip } from "../cli/tserve-process.ts";
import { withBroker } from "./broker-process.ts";
import { countTo } from "./inbox.ts";
import {
  debugLog,
  expectContent,
  linesOf,
  publish,
  run,
  start,
  subscribe,
} from "./mosquitto-programs.ts";

test("mosquitto_sub -F %j shows the properties that mosquitto_pub -D set", { skip }, () =>
  withBroker(async (broker) => {
    const sub = await subscribe(
      broker,
      "json",
      "-V 5 -q 2 -t p/# -C 2 -F %j -D subscribe subscription-identifier 42",
    );
    const properties = [
      ["content-type", "text/plain; charset=utf-8"],
      ["correlation-data", "number 1"],
      ["message-expiry-interval", "3600"],
      ["payload-format-indicator", "1"],
      ["response-topic", "answers/here"],
      ["user-property", "room", "küche 2"],
      ["user-property", "floor", "1"],
    ];
    const args = properties.flatMap((property) => ["-D", "publish", ...property]);
    for (const retain of ["", " -r"]) {
      const payload = ["-m", 'quotes " and ☕'];
      await publish(broker, `-V 5 -q 2 -t p/x${retain}`, { args: [...args, ...payload] });
    }
    const late = start(broker, "mosquitto_sub", "-V 5 -q 1 -t p/# -C 1 -F %j");
    const live = linesOf(await expectContent(sub)).map((line) => JSON.parse(line));
    const [kept] = linesOf(await expectContent(late)).map((line) => JSON.parse(line));
    for (const message of [...live, kept]) {
      const { "message-expiry-interval": seconds, ...rest } = message.properties;
      assert.ok(seconds > 3500 && seconds <= 3600);
      assert.deepEqual(rest, {
        "content-type": "text/plain; charset=utf-8",
        "correlation-data": "number 1",
        "payload-format-indicator": 1,
        "response-topic": "answers/here",
        "user-properties": { room: "küche 2", floor: "1" },
        ...(message === kept ? {} : { "subscription-identifier": 42 }),
      });
      assert.equal(message.payload, 'quotes " and ☕');
      assert.deepEqual(
        [message.topic, message.qos, message.retain],
        message === kept ? ["p/x", 1, 1] : ["p/x", 2, 0],
      );
    }
  }, debugLog),
);

test("mosquitto_sub -x: the session ends when its time is over, and not before", { skip }, () =>
  withBroker(async (broker) => {
    for (const [name, seconds] of [
      ["brief", 1],
      ["long", 60],
      ["endless", -1],
    ]) {
      await run(broker, "mosquitto_sub", `-V 5 -c -i ${name} -x ${seconds} -q 1 -t x -E`);
    }
    await sleep(1600);
    await publish(broker, "-V 5 -q 1 -t x -m kept");
    await publish(broker, "-V 5 -q 1 -t end -m end");
    for (const name of ["brief", "long", "endless"]) {
      const sub = await subscribe(broker, name, "-V 5 -c -x 60 -q 1 -t end -C 1");
      await publish(broker, "-V 5 -q 1 -t end -m end");
      const expected = name === "brief" ? ["end"] : ["kept"];
      assert.deepEqual(linesOf(await expectContent(sub)), expected);
    }
  }, debugLog),
);

test(
  "mosquitto_sub with a Receive Maximum of 1, a Maximum Packet Size, topic aliases",
  { skip },
  () =>
    withBroker(async (broker) => {
      const one = await subscribe(
        broker,
        "one",
        "-V 5 -q 2 -t m -C 200 -D connect receive-maximum 1",
      );
      const small = await subscribe(
        broker,
        "small",
        "-V 5 -q 1 -t m -t large -C 200 -D connect maximum-packet-size 60 -D connect topic-alias-maximum 4",
      );
      await publish(broker, `-V 5 -q 1 -t large -m ${"x".repeat(80)}`);
      const lines = countTo(200);
      await publish(broker, "-V 5 -q 2 -t m -l -D publish topic-alias 1", {
        stdin: `${lines.join("\n")}\n`,
      });
      assert.deepEqual(linesOf(await expectContent(one)), lines);
      assert.deepEqual(linesOf(await expectContent(small)), lines);
    }, debugLog),
);

test("mosquitto_pub is told why it is refused", { skip }, () =>
  withBroker(async (broker) => {
    const ended = await start(broker, "mosquitto_pub", "-V 5 -q 1 -t $SYS/x -m x").ended;
    assert.match(ended.stderr, /Not authorized/);
    // 3.1.1 has no word for it: the broker acknowledges and drops.
    await publish(broker, "-V 311 -q 1 -t $SYS/x -m x");
    const denied = await start(broker, "mosquitto_sub", "-V 5 -t secret/x").ended;
    assert.match(denied.stderr, /All subscription requests were denied/);
    const { stdout } = await start(broker, "mosquitto_pub", "-V 5 -d -q 1 -t nobody -m x").ended;
    assert.match(stdout, /PUBACK \(Mid: 1, RC:16\)/);
  }, "anonymous: { rights: [{ deny: both, filter: secret/# }, '#'] }\nallowAnonymous: true"),
);

for (const version of ["311", "5"]) {
  test(`mosquitto_rr -V ${version} gets its answer from MQTT.js`, { skip }, () =>
    withBroker(async (broker) => {
      const responder = await broker.connect({ protocolVersion: 5 });
      responder.client.on("message", (_, payload, { properties }) => {
        const { responseTopic = "answer/to", correlationData } = properties ?? {};
        const answer = `re: ${payload} ${correlationData === undefined ? "without" : "with"} data`;
        const more = correlationData === undefined ? {} : { properties: { correlationData } };
        responder.client.publish(responseTopic, answer, { qos: 1, ...more });
      });
      await responder.client.subscribeAsync("ask", { qos: 2 });
      for (const qos of [0, 1, 2]) {
        const options = `-V ${version} -q ${qos} -t ask -e answer/to -m hello`;
        const data = version === "5" ? " -D publish correlation-data 17" : "";
        const { stdout } = await run(broker, "mosquitto_rr", options + data);
        assert.equal(stdout, `re: hello ${version === "5" ? "with" : "without"} data\n`);
      }
    }, debugLog),
  );
}

test("mosquitto's clients over a Unix socket", { skip }, () =>
  withBroker(async (broker) => {
    const socket = `--unix ${broker.folder}/tserve.sock`;
    const sub = await subscribe(broker, "local", `${socket} -V 5 -q 2 -t u -C 3`);
    for (const qos of [0, 1, 2]) await publish(broker, `${socket} -q ${qos} -t u -m ${qos}`);
    assert.deepEqual(linesOf(await expectContent(sub)), ["0", "1", "2"]);
  }, debugLog),
);
