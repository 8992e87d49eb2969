/** tbench with TLS against a real mosquitto: by CA, by client certificate, over wss, and whom it does not trust. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import type { Results } from "../../src/cli/bench/results.ts";
import { run } from "../../src/cli/tbench.ts";
import { makeCertificates } from "./certificates.ts";
import { runInMemory } from "./memory-io.ts";
import { findFreePort, Mosquitto, withoutMosquitto } from "./mosquitto.ts";

const skip = withoutMosquitto;
const folder = mkdtempSync(path.join(tmpdir(), "certificates-"));
const file = (name: string) => path.join(folder, name);
const state = {} as { broker: Mosquitto; mutualPort: number; webSocketPort: number };

before(async () => {
  if (skip) return;
  makeCertificates(folder);
  state.mutualPort = await findFreePort();
  state.webSocketPort = await findFreePort();
  const certificates = [`certfile ${file("server.crt")}`, `keyfile ${file("server.key")}`];
  state.broker = await Mosquitto.start([
    ...["listener PORT 127.0.0.1", "allow_anonymous true", ...certificates],
    ...[`listener ${state.mutualPort} 127.0.0.1`, ...certificates],
    ...["require_certificate true", `cafile ${file("ca.crt")}`],
    ...[`listener ${state.webSocketPort} 127.0.0.1`, "protocol websockets", ...certificates],
  ]);
});
after(async () => {
  await state.broker?.stop();
  rmSync(folder, { recursive: true });
});

const load = ["--publishers", "3", "--subscribers", "3", "--messages", "500", "--window", "20"];

/** Every message through, at QoS 0 and 2. */
async function pass(...way: readonly string[]): Promise<void> {
  for (const qos of ["0", "2"]) {
    const ended = await runInMemory(run, ["fan", ...way, ...load, "-q", qos, "--json"]);
    assert.deepEqual([ended.stderr, ended.code], ["", 0]);
    const { received } = JSON.parse(ended.stdout) as Results;
    assert.deepEqual([received?.messages, received?.lost, received?.outOfOrder], [4500, 0, 0]);
  }
}

test("mqtts:// and --cafile", { skip }, async () => {
  await pass("-L", `mqtts://localhost:${state.broker.port}`, "--cafile", file("ca.crt"));
});

test("--cert and --key", { skip }, async () => {
  const way = ["-h", "localhost", "-p", String(state.mutualPort), "--cafile", file("ca.crt")];
  await pass(...way, "--cert", file("client.crt"), "--key", file("client.key"));
  assert.equal((await runInMemory(run, ["conn", ...way])).code, 1);
});

test("wss://", { skip }, async () => {
  const url = `wss://localhost:${state.webSocketPort}/mqtt`;
  await pass("-L", url, "--cafile", file("ca.crt"));
});

test("payloads larger than what is written at once", { skip }, async () => {
  const way = ["-L", `mqtts://localhost:${state.broker.port}`, "--cafile", file("ca.crt")];
  const large = [
    "-s",
    "200000",
    "--messages",
    "20",
    "--subscribers",
    "2",
    "-q",
    "1",
    "--window",
    "5",
  ];
  const ended = await runInMemory(run, ["fan", ...way, ...large]);
  assert.deepEqual([ended.stderr, ended.code], ["", 0]);
});

test("a certificate that is not trusted is told once, and the way out", { skip }, async () => {
  const way = ["-L", `mqtts://localhost:${state.broker.port}`, "-n", "50"];
  const ended = await runInMemory(run, ["conn", ...way]);
  assert.deepEqual([ended.code, ended.stdout], [1, ""]);
  assert.match(ended.stderr, /certificate is not trusted: give its CA with --cafile\n$/);
});
