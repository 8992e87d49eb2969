/**
 * The interfaces of InfluxDB 2 and 3: that of 2 as VictoriaMetrics has it too, that of 3, which no package of Debian
 * has, as its documentation says.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { MessageMaker } from "../../src/sinks/conformance/messages.ts";
import { type Sink, SinkRefusal, SinkUnavailable } from "../../src/sinks/index.ts";
import { influxdbSink } from "../../src/sinks/influxdb/index.ts";
import { withoutVictoria as skip, VictoriaServer } from "./victoria-server.ts";

async function open(t: TestContext, values: Readonly<Record<string, string>>): Promise<Sink> {
  const configured = await influxdbSink.configure(values);
  const sink = await configured.open({ stdout: new PassThrough(), say: () => undefined });
  t.after(() => sink.close());
  return sink;
}

test("what takes writes of version 2 has what was written, and no line out of a text", {
  skip,
}, async (t) => {
  const server = await VictoriaServer.start();
  t.after(() => server.process.end());
  const sink = await open(t, {
    "influxdb-url": server.url,
    "influxdb-org": "home",
    "influxdb-bucket": "b",
    "influxdb-token": "t",
  });
  const maker = new MessageMaker();
  const batch = maker.numbers(2000, "site/hall");
  // It does not know that a text may hold a line end: this would be a reading of a topic of somebody else.
  const forged = maker.make({
    topic: "note",
    fields: { value: "x\nforged,a=b value=1 1700000000000000\ny" },
  });
  assert.equal(await sink.write([...batch, forged]), 2001);
  const stored = await server.export('{__name__=~".+"}');
  const names = stored.map(({ metric }) => metric.__name__).sort();
  assert.deepEqual(names, ["note_value", "site/hall_value"]);
  const numbers = stored.find(({ metric }) => metric.__name__ === "site/hall_value");
  assert.deepEqual(
    numbers?.values,
    batch.map(({ readings: [{ fields }] }) => fields.get("value")),
  );
});

interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

/** Answers one after the other, and notes what it was asked. */
async function standIn(t: TestContext, answers: readonly Answer[]) {
  const asked: { request: IncomingMessage; lines: string }[] = [];
  const server = createServer(async (request, response) => {
    const bytes = await buffer(request);
    const isPacked = request.headers["content-encoding"] === "gzip";
    asked.push({ request, lines: (isPacked ? gunzipSync(bytes) : bytes).toString() });
    const { status, body } = answers[asked.length - 1];
    response.writeHead(status).end(body === undefined ? undefined : JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/below/` };
}

test("version 3: database and token, microseconds, and lines that it refuses by their number", async (t) => {
  const refusal = {
    error: "partial write of line protocol occurred",
    data: [
      { original_line: "t ", line_number: 2, error_message: "invalid column type" },
      { original_line: "t ", line_number: 4, error_message: "invalid column type" },
    ],
  };
  const { asked, url } = await standIn(t, [{ status: 400, body: refusal }, { status: 204 }]);
  const sink = await open(t, {
    "influxdb-url": url,
    "influxdb-database": "my db",
    "influxdb-token": "apiv3_x",
  });
  const batch = new MessageMaker().numbers(5, "t");
  await assert.rejects(sink.write(batch), (error) => {
    assert.ok(error instanceof SinkRefusal);
    assert.deepEqual(
      [...(error.refused ?? [])],
      [
        [1, "invalid column type"],
        [3, "invalid column type"],
      ],
    );
    return true;
  });
  const [{ request, lines }, again] = asked;
  assert.equal(request.url, "/below/api/v3/write_lp?db=my+db&precision=microsecond");
  assert.equal(request.headers.authorization, "Bearer apiv3_x");
  const all = batch.map(
    ({ readings: [{ time, fields }] }) => `t value=${fields.get("value")} ${time}\n`,
  );
  assert.equal(lines, all.join(""));
  assert.equal(again.lines, [all[0], all[2], all[4]].join(""));
});

test("version 2: organization, bucket and token; what it refuses, in its words", async (t) => {
  const conflict = `partial write: field type conflict: input field "value" on measurement "t" is type float, already exists as type string dropped=2`;
  const { asked, url } = await standIn(t, [
    {
      status: 422,
      body: {
        code: "unprocessable entity",
        message: `failure writing points to database: ${conflict}`,
      },
    },
    { status: 204 },
    { status: 404, body: { code: "not found", message: 'bucket "b" not found' } },
    { status: 401, body: { code: "unauthorized", message: "unauthorized access" } },
    { status: 413, body: { code: "request too large", message: "too large" } },
  ]);
  const sink = await open(t, {
    "influxdb-url": url,
    "influxdb-org": "o",
    "influxdb-bucket": "b",
    "influxdb-token": "secret",
  });
  const maker = new MessageMaker();
  const batch = [maker.number("t"), maker.number("u"), maker.number("t")];
  const indices = async () => {
    const error = await sink.write(batch).catch((reason: unknown) => reason);
    return error instanceof SinkRefusal ? [...(error.refused?.keys() ?? ["unknown"])] : error;
  };
  assert.deepEqual(await indices(), [0, 2]);
  assert.equal(asked[1].lines.startsWith("u "), true);
  assert.equal(asked[0].request.url, "/below/api/v2/write?org=o&bucket=b&precision=us");
  assert.equal(asked[0].request.headers.authorization, "Token secret");
  for (const words of [
    /\(404\): bucket "b" not found; see .*--influxdb-bucket/,
    /--influxdb-token-file/,
  ]) {
    const error = await indices();
    assert.ok(error instanceof SinkUnavailable);
    assert.match(error.message, words);
  }
  assert.deepEqual(await indices(), ["unknown"]);
});

test("what answers a write with a text, as the login of a proxy does, has not written it", async (t) => {
  const { url } = await standIn(t, [{ status: 200, body: "please log in" }, { status: 204 }]);
  const sink = await open(t, { "influxdb-url": url });
  const batch = new MessageMaker().numbers(2);
  await assert.rejects(sink.write(batch), (error) => {
    assert.ok(error instanceof SinkUnavailable);
    assert.match(error.message, /does not answer as InfluxDB does \(200\).*; see --influxdb-url$/);
    return true;
  });
  assert.equal(await sink.write(batch), 2);
});
