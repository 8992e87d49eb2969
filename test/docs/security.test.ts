/**
 * docs/security.md leads from nothing to what it promises: an encrypted broker, two devices that write only their own topics,
 * an operator who reads all, and a device that is cut off. Each test follows the page some steps further, and looks at
 * what the page claims by then with clients of another make.
 */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { parse } from "yaml";
import { FollowedPage } from "./followed-page.ts";

const page = await FollowedPage.open("docs/security.md", {
  ports: [8883, 8443],
  // The port that treg takes where none is given.
  adapt: (command) =>
    command.replace("npx treg --broker", "npx treg --listen https://0.0.0.0:8443 --broker"),
  // The page's devices show no certificate; one of this test does.
  environment: { TSTACK_TLS_CA: "certs/ca.crt", TSTACK_TLS_CLIENT_CERTIFICATES: "optional" },
});
const clients: MqttClient[] = [];

after(async () => {
  for (const client of clients) client.end(true);
  await page.close();
});

interface Settings {
  readonly username: string;
  readonly password: string;
  readonly broker: string;
}

const readSettings = (device: string) => parse(page.read(`${device}.yml`)) as Settings;

async function connect(broker: string, options: IClientOptions): Promise<MqttClient> {
  const ca = readFileSync(join(page.folder, "certs/ca.crt"));
  const all = { ca, protocolVersion: 5, reconnectPeriod: 0, ...options } as const;
  const client = await connectAsync(broker, all);
  clients.push(client);
  return client;
}

/** As a device would, of which nothing but its settings is known. */
function connectAs(device: string, options: IClientOptions = {}): Promise<MqttClient> {
  const { broker, username, password } = readSettings(device);
  return connect(broker, { username, password, ...options });
}

const modeOf = (path: string) => (statSync(join(page.folder, path)).mode & 0o777).toString(8);

test("docs/security.md: the broker is encrypted, and what is secret is its owner's alone", {
  timeout: 50_000,
}, async () => {
  await page.follow("npx tserve");
  assert.match(page.terminal(1).output, /listens on mqtts:\/\/127/);
  for (const folder of ["certs", "tstack-data"]) assert.equal(modeOf(folder), "700", folder);
  for (const file of ["certs/ca.key", "certs/server.key", "tstack-data/tstack.sock"]) {
    assert.equal(modeOf(file), "600", file);
  }
  const [, port] = /mqtts:\/\/127\S+?:(\d+)/.exec(page.terminal(1).output) ?? [];
  const url = `mqtts://localhost:${port}`;
  const operator = { username: "operator", password: page.read("certs/operator.password") };
  await connect(url, operator);
  await assert.rejects(connect(url, {}), /Not authorized/);
  await assert.rejects(connect(url, { ...operator, ca: undefined }), /certificate/);
});

test("docs/security.md: two devices register, and nobody reads their settings", {
  timeout: 50_000,
}, async () => {
  await page.follow(
    "npx tregister https://localhost:8443 --cafile certs/ca.crt --key-file certs/workshop.key --settings pump.yml",
  );
  for (const device of ["boiler", "pump"]) {
    assert.match(page.read(device), /^[A-HJ-NP-Z]{3}-[2-9]{3}$/);
    assert.equal(readSettings(device).username, page.read(device));
    assert.equal(modeOf(`${device}.yml`), "600");
  }
  assert.notEqual(page.read("boiler"), page.read("pump"));
});

test("docs/security.md: each device writes its own topics only, and the operator sees both", {
  timeout: 50_000,
}, async () => {
  await page.follow("npx tpublish --settings pump.yml");
  const [boiler, pump] = ["boiler", "pump"].map((device) => page.read(device));
  const seen = `${boiler}/celsius 61\n`;
  assert.equal(page.terminal(4).output, seen);
  for (const [device, own, foreign] of [
    ["boiler", boiler, pump],
    ["pump", pump, boiler],
  ]) {
    const client = await connectAs(device);
    for (const topic of [`${foreign}/state`, "state", `${own}s/state`, "$SYS/broker/version"]) {
      await assert.rejects(client.publishAsync(topic, "", { qos: 1 }), /Not authorized/, topic);
    }
    for (const filter of [`${foreign}/#`, "#", "+/state", `$share/g/${foreign}/#`, "$SYS/#"]) {
      await assert.rejects(client.subscribeAsync(filter), /Not authorized/, filter);
    }
    await client.subscribeAsync(`${own}/#`);
    await client.publishAsync(`${own}/again`, "yes", { qos: 1 });
    await client.endAsync();
  }
  await page.terminal(4).expect(`${seen}${boiler}/again yes\n${pump}/again yes\n`);
});

test("docs/security.md: a device that is disabled is cut off at once, and does not come back", {
  timeout: 50_000,
}, async () => {
  const name = page.read("pump");
  await page.run(`npx tstack cert client --user ${name}`);
  // The first of the device's connections, so that no will of another reaches it.
  await page.follow("npx tsubscribe --settings pump.yml");
  const identity = {
    cert: readFileSync(join(page.folder, `certs/${name}.crt`)),
    key: readFileSync(join(page.folder, `certs/${name}.key`)),
  };
  const withCertificate = { ...identity, username: undefined, password: undefined };
  const will = {
    topic: `${name}/gone`,
    payload: Buffer.from("yes"),
    qos: 1,
    retain: false,
  } as const;
  const ends = [await connectAs("pump", { will }), await connectAs("pump", withCertificate)].map(
    (client) => {
      const { promise, resolve } = Promise.withResolvers<{ reasonCode?: number; at: number }>();
      client.once("disconnect", ({ reasonCode }) => resolve({ reasonCode, at: performance.now() }));
      return promise;
    },
  );
  const boiler = await connectAs("boiler");
  const before = page.terminal(4).output;

  await page.follow("npx tuser disable");

  const disabledAt = performance.now();
  for (const { reasonCode, at } of await Promise.all(ends)) {
    assert.equal(reasonCode, 0x98);
    assert.ok(at - disabledAt < 1000, `${at - disabledAt} ms after the command`);
  }
  await page.terminal(4).expect(`${before}${name}/gone yes\n`);
  // tsubscribe tries to come back, and gives up.
  await page.terminal(5).expect("");
  await page.terminal(5).finish();
  await assert.rejects(connectAs("pump"), /Bad User Name or Password/);
  await assert.rejects(connectAs("pump", withCertificate), /Not authorized/);
  const again =
    "npx tregister https://localhost:8443 --cafile certs/ca.crt --key-file certs/workshop.key";
  assert.match(await page.run(`${again} --settings third.yml`), /refuses the key/);
  await boiler.publishAsync(`${page.read("boiler")}/celsius`, "62", { qos: 1 });
});

test("docs/security.md: no command of the page is left", () => {
  assert.equal(page.left, 0);
});
