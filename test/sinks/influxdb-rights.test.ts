/** An InfluxDB that asks who it is: with the right credentials it is written to, with others it says which option to mend. */
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { MessageMaker } from "../../src/sinks/conformance/messages.ts";
import { SinkUnavailable } from "../../src/sinks/index.ts";
import { influxdbSink } from "../../src/sinks/influxdb/index.ts";
import { InfluxdServer, withoutInfluxd as skip } from "./influxd-server.ts";

const password = "pass: word ü";

test("with credentials it writes, and without it says which are needed", { skip }, async (t) => {
  const server = await InfluxdServer.start({ authenticates: true });
  t.after(() => server.process.end());
  const admin = { u: "admin", p: password };
  await server.query(`CREATE USER admin WITH PASSWORD '${password}' WITH ALL PRIVILEGES`);
  await server.query(`CREATE USER writer WITH PASSWORD '${password}'`, admin);
  const write = async (database: string, user?: string, secret = password) => {
    const rights = user === undefined ? {} : { "influxdb-user": user, "influxdb-password": secret };
    const configured = await influxdbSink.configure({
      "influxdb-url": server.url,
      "influxdb-database": database,
      ...rights,
    });
    const sink = await configured.open({ stdout: new PassThrough(), say: () => undefined });
    try {
      return await sink.write([new MessageMaker().number()]);
    } finally {
      await sink.close();
    }
  };
  const refuses = (words: RegExp) => (error: unknown) => {
    assert.ok(error instanceof SinkUnavailable);
    assert.match(error.message, words);
    assert.ok(!error.message.includes(password) && !error.message.includes("wrong"));
    return true;
  };
  assert.equal(await write("one", "admin"), 1);
  const mend = /does not accept these credentials \((401|403)\): see --influxdb-user/;
  await assert.rejects(write("one"), refuses(mend));
  await assert.rejects(write("one", "admin", "wrong"), refuses(mend));
  await assert.rejects(write("one", "nobody"), refuses(mend));
  await assert.rejects(write("one", "writer"), refuses(mend), "no right on this database");
  await assert.rejects(write("two", "writer"), refuses(mend), "no right to make one");
  await server.query("GRANT WRITE ON one TO writer", admin);
  assert.equal(await write("one", "writer"), 1);
});
