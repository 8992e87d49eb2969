/** The sink against a real VictoriaMetrics: what every sink must do, also while it is killed and started again. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type SinkUnderTest, testSink } from "../../src/sinks/conformance/index.ts";
import { prometheusSink } from "../../src/sinks/prometheus/index.ts";
import { VictoriaServer, withoutVictoria } from "./victoria-server.ts";

const servers: Promise<VictoriaServer>[] = [];

/** One server for all, and a label for each. */
async function open(): Promise<SinkUnderTest> {
  servers[0] ??= VictoriaServer.start();
  const server = await servers[0];
  runs += 1;
  const url = `${server.url}/api/v1/write?extra_label=run=${runs}`;
  const selector = `{run="${runs}"}`;
  return {
    sink: await prometheusSink.configure({ "prometheus-url": url }),
    readBack: () => server.readBack(selector),
    interrupt: () => server.process.kill(),
    resume: () => server.process.restart(),
    end: async () => undefined,
  };
}

let runs = 0;

after(async () => {
  for (const server of servers) await (await server).process.end();
});

if (withoutVictoria) {
  test("the sink prometheus against VictoriaMetrics", { skip: withoutVictoria }, () =>
    assert.fail(),
  );
} else {
  testSink(
    "prometheus",
    {
      timeStep: 1000,
      keepsText: false,
      keepsBooleans: false,
      // It keeps numbers as decimals.
      relativeError: 1e-12,
      hasKey: true,
    },
    open,
  );
}
