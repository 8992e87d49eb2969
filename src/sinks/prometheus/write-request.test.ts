import assert from "node:assert/strict";
import { test } from "node:test";
import { PbfReader } from "pbf";
import { uncompress } from "snappyjs";
import type { FieldValue } from "../../readings/index.ts";
import type { MappedMessage } from "../sink.ts";
import { toSamples } from "./format.ts";
import { encodeWriteRequest } from "./write-request.ts";

interface Parts {
  readonly topic: string;
  readonly name?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly time: number;
  readonly fields: Readonly<Record<string, FieldValue>>;
}

function make({ topic, name = topic, tags = {}, time, fields }: Parts): MappedMessage {
  const series = { topic, name, tags: new Map(Object.entries(tags)), units: new Map() };
  return {
    message: { topic, payload: Buffer.of(), qos: 1, retain: false, arrivedAt: time },
    readings: [{ series, time, fields: new Map(Object.entries(fields)) }],
  };
}

interface Decoded {
  readonly labels: string[];
  readonly samples: [time: number, value: number][];
}

/** By the message types of the specification, and none of our code. */
function decode(body: Buffer): Decoded[] {
  return new PbfReader(uncompress(body)).readFields((_tag, all: Decoded[], pbf) => {
    const series = pbf.readMessage(
      (tag, { labels, samples }, pbf) => {
        if (tag === 1) labels.push(pbf.readMessage(readLabel, { text: "" }).text);
        else samples.push(pbf.readMessage(readSample, [0, 0]));
      },
      { labels: [], samples: [] } as Decoded,
    );
    all.push(series);
  }, []);
}

function readLabel(tag: number, label: { text: string }, pbf: PbfReader): void {
  label.text += tag === 1 ? `${pbf.readString()}=` : pbf.readString();
}

function readSample(tag: number, sample: [number, number], pbf: PbfReader): void {
  if (tag === 1) sample[1] = pbf.readDouble();
  else sample[0] = pbf.readVarint(true);
}

const encode = (messages: readonly MappedMessage[]) =>
  decode(encodeWriteRequest(messages.flatMap(toSamples)));

test("labels are sorted, samples in order, each series is there once", () => {
  const tags = { Room: "hall", zone: 'a"\\\n', "site name": "home" };
  const topic = "site/hall/temp";
  const request = encode([
    make({ topic, tags, time: 3_000_999, fields: { value: 3 } }),
    make({ topic: "other", time: 9_000_000, fields: { on: true, text: "left out", off: false } }),
    make({ topic, tags, time: 1_000_000, fields: { value: -1.5 } }),
    make({ topic, tags, time: 2_000_000, fields: { value: 2 } }),
  ]);
  assert.deepEqual(request, [
    {
      labels: [
        "Room=hall",
        "__name__=site_hall_temp",
        "site_name=home",
        "topic=site/hall/temp",
        'zone=a"\\\n',
      ],
      samples: [
        [1000, -1.5],
        [2000, 2],
        [3000, 3],
      ],
    },
    { labels: ["__name__=other_on", "field=on", "topic=other"], samples: [[9000, 1]] },
    { labels: ["__name__=other_off", "field=off", "topic=other"], samples: [[9000, 0]] },
  ]);
});

test("of two samples in one millisecond the younger counts, and of the same time the later", () => {
  const [{ samples }] = encode([
    make({ topic: "t", time: 5_000_900, fields: { value: 2 } }),
    make({ topic: "t", time: 5_000_100, fields: { value: 1 } }),
    make({ topic: "t", time: 6_000_000, fields: { value: 3 } }),
    make({ topic: "t", time: 6_000_000, fields: { value: 4 } }),
    make({ topic: "t", time: -1, fields: { value: 5 } }),
    make({ topic: "t", time: 0, fields: { value: 0 } }),
  ]);
  assert.deepEqual(samples, [
    [-1, 5],
    [0, 0],
    [5000, 2],
    [6000, 4],
  ]);
});

test("names that are the same once they are cleaned stay apart", () => {
  const time = 1000;
  const fields = { value: 1 };
  const request = encode([
    make({ topic: "a/b", time, fields }),
    make({ topic: "a_b", time, fields }),
    make({ topic: "a", time, fields: { b: 1 } }),
    make({ topic: "a", time, fields: { "b ": 1, "b-": 2 } }),
    make({ topic: "x", name: "n 1", time, fields }),
    make({ topic: "x", name: "n-1", time, fields }),
    make({ topic: "x", name: "n_1", time, fields }),
  ]);
  assert.equal(request.length, 8);
  assert.equal(new Set(request.map(({ labels }) => labels.join())).size, 8);
  assert.ok(request.every(({ samples }) => samples.length === 1));
});

test("tags that would take our labels, or each other's, are named otherwise", () => {
  const tags = { topic: "1", name: "2", field: "3", __name__: "4", "a b": "5", a_b: "6", "9": "7" };
  const [{ labels }] = encode([make({ topic: "t", time: 0, tags, fields: { value: 1 } })]);
  assert.deepEqual(labels, [
    "_9=7",
    "__name__=t",
    "a_b=5",
    "a_b_2=6",
    "tag___name__=4",
    "tag_field=3",
    "tag_name=2",
    "tag_topic=1",
    "topic=t",
  ]);
});

test("any name becomes one that Prometheus has", () => {
  for (const [name, metric] of [
    ["1/2", "_1_2"],
    ["温度", "__"],
    ["🦀", "_"],
    ["$SYS/broker:x", "_SYS_broker_x"],
    ["/", "_"],
    ['a\n{b="c"} 1', "a__b__c___1"],
  ]) {
    const [{ labels }] = encode([make({ topic: name, time: 0, fields: { value: 1 } })]);
    assert.deepEqual(labels, [`__name__=${metric}`, `topic=${name}`]);
  }
});

test("fields that are others in each message are not remembered without end", () => {
  const series = { topic: "t", name: "t", tags: new Map(), units: new Map() };
  const { message } = make({ topic: "t", time: 0, fields: {} });
  for (let index = 0; index < 1000; index++) {
    const fields = new Map([[`field${index}`, index]]);
    const [sample] = toSamples({ message, readings: [{ series, time: 0, fields }] });
    const [again] = toSamples({ message, readings: [{ series, time: 0, fields }] });
    assert.equal(sample.metric.text, `t_field${index}{field="field${index}",topic="t"}`);
    assert.equal(sample.metric === again.metric, index < 256, String(index));
  }
});
