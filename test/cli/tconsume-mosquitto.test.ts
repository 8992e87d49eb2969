/** tconsume with another broker, in every version of MQTT. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConsumeWorld, countUp, interrupt, publish, valuesOf } from "./consume-world.ts";
import { Mosquitto, withoutMosquitto } from "./mosquitto.ts";

const skip = withoutMosquitto;

for (const version of ["31", "311", "5"]) {
  test(`-V ${version}: a broker that comes back without the session is subscribed again`, {
    skip,
  }, async (context) => {
    let broker = await Mosquitto.start();
    context.after(() => broker.stop());
    const world = new ConsumeWorld(context, broker.port);
    const args = ["-V", version, "-t", "again/#"];
    const consumer = await world.consuming(...args);
    await publish(world.port, countUp("again/x", 1, 1));
    await consumer.saw("again/x 1\n", "stdout");
    const { port } = broker;
    await broker.stop();
    broker = await Mosquitto.start(undefined, { port });
    await consumer.saw("tconsume: connected again");
    await publish(world.port, countUp("again/x", 2, 2));
    await consumer.saw("again/x 2\n", "stdout");
    assert.equal((await interrupt(consumer)).code, 0);
  });

  test(`-V ${version}: another broker's queue is taken with --once, in the order of its messages`, {
    skip,
  }, async (context) => {
    const broker = await Mosquitto.start();
    context.after(() => broker.stop());
    const world = new ConsumeWorld(context, broker.port);
    const args = ["-V", version, "-t", "queue/#", "--once"];
    await world.run(...args);
    await publish(world.port, countUp("queue/x", 1, 500));
    const { code, stdout } = await world.run(...args);
    assert.equal(code, 0);
    assert.deepEqual(
      valuesOf(stdout).map(Number),
      Array.from({ length: 500 }, (_, index) => index + 1),
    );
  });
}
