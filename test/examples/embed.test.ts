/** examples/embed runs as it stands: a client of another make talks with it, and it ends when it is told to. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync } from "mqtt";

const program = join(import.meta.dirname, "../../examples/embed/heating.ts");

/** The test's own time limit ends this. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

test("the heating answers temperatures, retained, and SIGTERM ends it", {
  timeout: 20_000,
}, async (context) => {
  const child = spawn(process.execPath, [program, "mqtt://127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.after(() => child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout });
  const printed: string[] = [];
  lines.on("line", (line) => printed.push(line));
  await once(lines, "line");
  const url = printed[0].replace("listening on ", "");
  const sensor = await connectAsync(url, { clientId: "sensor", reconnectPeriod: 0 });
  for (const [room, celsius] of Object.entries({ kitchen: "17.5", bath: "23", attic: "warm" })) {
    await sensor.publishAsync(`home/${room}/temperature`, celsius, { qos: 1 });
  }
  const heating = await connectAsync(url, { clientId: "heating", reconnectPeriod: 0 });
  const commands: string[] = [];
  heating.on("message", (topic, payload, { retain }) => {
    commands.push(`${topic} ${payload} ${retain ? "retained" : "live"}`);
  });
  await heating.subscribeAsync("home/+/heating");
  await until(() => commands.length === 2);
  assert.deepEqual(commands.toSorted(), [
    "home/bath/heating off retained",
    "home/kitchen/heating on retained",
  ]);
  await sensor.publishAsync("home/kitchen/temperature", "20.5", { qos: 1 });
  await until(() => commands.length === 3);
  assert.equal(commands[2], "home/kitchen/heating off live");
  await sensor.endAsync();
  await heating.endAsync();
  await until(() => printed.length === 5);
  child.kill("SIGTERM");
  const [code] = await once(child, "exit");
  assert.equal(code, 0);
  assert.deepEqual(printed.slice(1), [
    "sensor is here",
    "heating is here",
    "sensor is gone: sent DISCONNECT",
    "heating is gone: sent DISCONNECT",
    "closed",
  ]);
});
