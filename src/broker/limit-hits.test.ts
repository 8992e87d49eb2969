/** Each limit that is hit is counted always, and told at first and then once a minute. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultLimits, type Limits, silentLog, TstackError } from "../base/index.ts";
import { figureOfLimit, LimitHits } from "./limit-hits.ts";

class Witness {
  now = 0;
  readonly told: { fields: object; message: string }[] = [];
  readonly hits: LimitHits;

  constructor() {
    const clock = {
      now: () => this.now,
      after: () => () => undefined,
      atEndOfTick: () => undefined,
    };
    const warn = (fields: object, message: string) => this.told.push({ fields, message });
    this.hits = new LimitHits(clock, { ...silentLog, warn });
  }
}

test("a flood is one line a minute, with how often it was", () => {
  const witness = new Witness();
  for (let count = 0; count < 1000; count++) {
    witness.hits.count("connectionsMax", { from: `peer ${count}` });
    witness.now += 100;
  }
  assert.equal(witness.hits.counts.connectionsMax, 1000);
  assert.deepEqual(witness.told, [
    {
      fields: { from: "peer 0", limit: "connectionsMax", times: 1 },
      message: "connectionsMax is reached: clients are refused",
    },
    {
      fields: { from: "peer 600", limit: "connectionsMax", times: 600 },
      message: "connectionsMax is reached: clients are refused",
    },
  ]);
});

test("what is agreed upon with a client is counted and not told", () => {
  const { hits, told } = new Witness();
  hits.count("keepAliveSecondsMax", {});
  assert.equal(hits.counts.keepAliveSecondsMax, 1);
  assert.deepEqual(told, []);
});

test("an error that names its limit counts, others do not", () => {
  const { hits, told } = new Witness();
  hits.countError(new TstackError("MQTT_PACKET_TOO_LARGE", "x", { limit: "packetBytesMax" }), "c");
  hits.countError(new TstackError("MQTT_PROTOCOL_ERROR", "x"), "c");
  assert.equal(hits.counts.packetBytesMax, 1);
  assert.equal(told.length, 1);
});

test("each limit has its figure in $SYS/broker", () => {
  const { counts } = new Witness().hits;
  for (const name of Object.keys(defaultLimits) as (keyof Limits)[]) {
    const figure = figureOfLimit(name);
    assert.equal(figure === `limits/${name}`, name in counts, `${name}: ${figure}`);
  }
});
