/** What tserve crash-test has found, one by one: each failed before it was mended. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import mqtt, { type MqttClient } from "mqtt";
import { ServeProcess } from "./tserve-process.ts";

/** Starts tserve on `data`; the test ends it. */
async function serve(context: TestContext, data: string): Promise<ServeProcess> {
  const broker = await ServeProcess.start({ data });
  context.after(() => broker.stop());
  return broker;
}

function connect(context: TestContext, port: number, clientId: string): MqttClient {
  const options = { clientId, clean: false, reconnectPeriod: 0, protocolVersion: 5 } as const;
  const properties = { sessionExpiryInterval: 600 };
  const client = mqtt.connect({ ...options, host: "127.0.0.1", port, properties });
  context.after(() => client.end(true));
  client.on("error", () => undefined); // its broker is killed
  return client;
}

test("shared subscriptions for which messages wait are taken up at a restart, beside everything else", async (context) => {
  const data = mkdtempSync(path.join(tmpdir(), "crash-test-found-"));
  context.after(() => rmSync(data, { recursive: true }));
  const first = await serve(context, data);
  const filters = ["$share/one/a/#", "$share/two/a/#", "$share/three/a/#"];
  const member = connect(context, first.port, "member");
  await member.subscribeAsync(filters, { qos: 1 });
  await member.endAsync();
  const publisher = connect(context, first.port, "publisher");
  await publisher.publishAsync("a/b", "waits", { qos: 1, retain: true });
  first.running.child.kill("SIGKILL");
  await first.running.ended;

  const second = await serve(context, data);
  const back = connect(context, second.port, "member");
  const topics: string[] = [];
  await new Promise<void>((resolve) => {
    back.on("message", (topic) => {
      topics.push(topic);
      if (topics.length === filters.length) resolve();
    });
  });
  assert.deepEqual(topics, ["a/b", "a/b", "a/b"]);
});
