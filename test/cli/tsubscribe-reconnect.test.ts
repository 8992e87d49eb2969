/** tsubscribe and a connection that is lost: it comes back, subscribes where that is needed, and goes on. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Mosquitto, withoutMosquitto } from "./mosquitto.ts";
import { run, startSubscribed } from "./programs.ts";
import { Relay } from "./relay.ts";

const skip = withoutMosquitto;
let broker: Mosquitto;
let at: string[];

before(async () => {
  if (skip) return;
  broker = await Mosquitto.start();
  at = ["-h", "127.0.0.1", "-p", String(broker.port)];
});
after(() => broker?.stop());

const publish = (topic: string, message: string) =>
  run("tpublish", [...at, "-t", topic, "-m", message, "-q", "1"]);
const count = (text: string, part: string) => text.split(part).length - 1;

for (const version of ["31", "311", "5"]) {
  test(`-V ${version}: a new session is subscribed again`, { skip }, async (context) => {
    const relay = await Relay.start(broker.port);
    context.after(() => relay.stop());
    const topic = `re/${version}`;
    const through = ["-h", "127.0.0.1", "-p", String(relay.port), "-V", version];
    const subscriber = await startSubscribed([...through, "-t", topic, "-C", "2", "-W", "30"]);
    await publish(topic, "before");
    await subscriber.saw("before\n", "stdout");
    relay.cut();
    while (count(subscriber.stderr, "subscribed\n") < 2) await subscriber.sawMore();
    await publish(topic, "after");
    const { code, stdout, stderr } = await subscriber.ended;
    assert.deepEqual([code, stdout], [0, "before\nafter\n"]);
    assert.match(stderr, /closed the connection; trying again/);
  });
}

test("a kept session brings what was missed, and is not subscribed again", {
  skip,
}, async (context) => {
  const relay = await Relay.start(broker.port);
  context.after(() => relay.stop());
  const through = ["-h", "127.0.0.1", "-p", String(relay.port), "-i", "re-kept", "-c", "-q", "1"];
  const subscriber = await startSubscribed([...through, "-t", "re/kept", "-C", "1", "-W", "30"]);
  relay.cut();
  await subscriber.saw("trying again");
  await publish("re/kept", "missed");
  const { code, stdout, stderr } = await subscriber.ended;
  assert.deepEqual([code, stdout], [0, "missed\n"]);
  assert.equal(count(stderr, "sent SUBSCRIBE"), 1);
});

test("--no-reconnect ends with 1", { skip }, async (context) => {
  const relay = await Relay.start(broker.port);
  context.after(() => relay.stop());
  const through = ["-h", "127.0.0.1", "-p", String(relay.port), "--no-reconnect"];
  const subscriber = await startSubscribed([...through, "-t", "re/no"]);
  relay.cut();
  const { code, stderr } = await subscriber.ended;
  assert.equal(code, 1);
  assert.match(stderr, /closed the connection\n$/);
});

test("-W counts across reconnects, and Ctrl-C ends the waiting for one", { skip }, async () => {
  const gone = await Mosquitto.start();
  const there = ["-h", "127.0.0.1", "-p", String(gone.port), "-t", "re/W"];
  const timed = await startSubscribed([...there, "-W", "3"]);
  const waiting = await startSubscribed(there);
  await gone.stop();
  await waiting.saw("trying again");
  const begin = Date.now();
  waiting.child.kill("SIGINT");
  assert.equal((await waiting.ended).code, 0);
  assert.ok(Date.now() - begin < 1000);
  assert.equal((await timed.ended).code, 27);
});
