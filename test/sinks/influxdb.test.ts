/** The sink against a real InfluxDB 1: what every sink must do, also while it is killed and started again. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type SinkUnderTest, testSink } from "../../src/sinks/conformance/index.ts";
import { influxdbSink } from "../../src/sinks/influxdb/index.ts";
import { InfluxdServer, withoutInfluxd } from "./influxd-server.ts";

let databases = 0;
const servers: Promise<InfluxdServer>[] = [];

/** One server for all, and a database for each. */
function findServer(): Promise<InfluxdServer> {
  servers[0] ??= InfluxdServer.start();
  return servers[0];
}

after(async () => {
  for (const server of servers) await (await server).process.end();
});

async function open(): Promise<SinkUnderTest> {
  const server = await findServer();
  databases += 1;
  const database = `database ${databases} "quoted"`;
  const sink = await influxdbSink.configure({
    "influxdb-url": server.url,
    "influxdb-database": database,
  });
  return {
    sink,
    readBack: () => server.readBack(database),
    interrupt: () => server.process.kill(),
    resume: () => server.process.restart(),
    end: async () => {
      await server.process.kill();
      await server.process.restart();
    },
  };
}

if (withoutInfluxd) {
  test("the sink influxdb against InfluxDB", { skip: withoutInfluxd }, () => assert.fail());
} else {
  testSink("influxdb", { timeStep: 1, keepsText: true, keepsBooleans: true, hasKey: true }, open);
}
