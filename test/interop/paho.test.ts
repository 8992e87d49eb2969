/** Debian's Paho client for Python against tserve: each scenario of paho_*.py in each version, in a process of its own. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { versions, withBroker } from "./broker-process.ts";

/** Debian's package is for Debian's Python; another one may stand before it on the PATH. */
const python = "/usr/bin/python3";
const installed = spawnSync(python, ["-c", "import paho.mqtt.client"]);
const skip = installed.status !== 0 && "python3-paho-mqtt is not installed";

async function runScenario(file: string, scenario: string, version: string, yaml?: string) {
  await withBroker(async (broker) => {
    const script = path.join(import.meta.dirname, file);
    const ports = [`${broker.port}`, `${broker.webSocketPort}`];
    // -B: no compiled files beside the sources.
    const program = broker.start(python, ["-B", script, scenario, version, ...ports]);
    const { code, stdout, stderr } = await program.ended;
    assert.equal(code, 0, `${stdout}${stderr}`);
    assert.match(stdout, /^passed in/);
    assert.equal(stderr, "");
    assert.doesNotMatch(broker.log, /a bug in tStack/);
  }, yaml);
}

const scenarios = ["exchange", "retain", "leave-will", "keep-session", "come-back", "take-over"];
for (const { name } of versions) {
  for (const scenario of scenarios) {
    test(`Paho ${name}: ${scenario}`, { skip }, () =>
      runScenario("paho_messages.py", scenario, name),
    );
  }
}

const restricted = `
anonymous: { rights: [{ deny: both, filter: secret/# }, '#'] }
allowAnonymous: true
limits: { packetBytesMax: 2000 }
`;
for (const scenario of ["properties", "options", "reasons", "leave-with-will"]) {
  test(`Paho 5: ${scenario}`, { skip }, () => runScenario("paho_v5.py", scenario, "5", restricted));
}
