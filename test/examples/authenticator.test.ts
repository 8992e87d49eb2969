/** examples/authenticator runs as it stands: clients of another make prove who they are, and do what they may. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { connectAsync } from "mqtt";

const program = join(import.meta.dirname, "../../examples/authenticator/sensors.ts");

const passwordOf = (name: string) =>
  createHmac("sha256", "key of the factory").update(name).digest("hex");

async function start(context: TestContext) {
  const child = spawn(process.execPath, [program, "mqtt://127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.after(() => child.kill("SIGKILL"));
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return { child, url: String(line).replace("listening on ", "") };
}

test("sensors prove who they are by the factory's password, Ada by hers, and nobody else comes in", {
  timeout: 30_000,
}, async (context) => {
  const { child, url } = await start(context);
  const logIn = async (username: string, password: string) => {
    const client = await connectAsync(url, {
      username,
      password,
      protocolVersion: 5,
      reconnectPeriod: 0,
    });
    context.after(() => client.end(true));
    return client;
  };
  const ada = await logIn("ada", "lovelace");
  const received: string[] = [];
  await ada.subscribeAsync("sensors/#", { qos: 1 });
  const sensor = await logIn("sensor-0042", passwordOf("sensor-0042"));
  const foreign = sensor.publishAsync("sensors/sensor-0043/celsius", "0", { qos: 1 });
  await assert.rejects(foreign, /Not authorized/);
  const isReceived = new Promise<void>((resolve) => {
    ada.on("message", (topic, payload) => {
      received.push(`${topic} ${payload}`);
      resolve();
    });
  });
  await sensor.publishAsync("sensors/sensor-0042/celsius", "21.5", { qos: 1 });
  await isReceived;
  assert.deepEqual(received, ["sensors/sensor-0042/celsius 21.5"]);

  for (const [name, password] of [
    ["sensor-0042", passwordOf("sensor-0043")],
    ["sensor-42", passwordOf("sensor-42")],
    ["ada", passwordOf("ada")],
    ["eve", "lovelace"],
  ]) {
    await assert.rejects(logIn(name, password), /Bad User Name or Password/, name);
  }
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  assert.deepEqual(await ended, [0, null]);
});
