/** tbench comes to its end, and says so truly, where a broker answers nothing, loses some or never acknowledges. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Results } from "../../src/cli/bench/results.ts";
import { run } from "../../src/cli/tbench.ts";
import { runInMemory } from "./memory-io.ts";
import { start } from "./programs.ts";
import { connack, packet, packetType, ScriptedBroker } from "./scripted-broker.ts";

type Script = Parameters<typeof ScriptedBroker.start>[0];

async function serve(context: TestContext, script: Script) {
  const broker = await ScriptedBroker.start(script);
  context.after(() => broker.stop());
  return { broker, at: ["-h", "127.0.0.1", "-p", String(broker.port)] };
}

/** Answers a handshake, and takes what is published without a word. */
const swallow: Script = ({ type, body }) => {
  if (type === packetType.connect) return connack;
  if (type === packetType.subscribe) return packet(0x90, body[0], body[1], 1);
  return type === packetType.pingreq ? packet(0xd0, []) : undefined;
};

test("Ctrl-C does not wait for connections that nobody answers", async (context) => {
  const { at, broker } = await serve(context, ({ connection }) =>
    connection === 1 ? connack : undefined,
  );
  const program = start("tbench", ["conn", ...at, "-n", "10"]);
  while (broker.connections < 10) await sleep(20);
  const interruptedAt = performance.now();
  program.child.kill("SIGINT");
  const { code, stdout } = await program.ended;
  assert.ok(performance.now() - interruptedAt < 5000);
  assert.equal(code, 0);
  assert.match(stdout, /ended {9}interrupted\n.*1 of 10 opened/);
});

test("Ctrl-C does not wait for a slow ramp", async (context) => {
  const { at, broker } = await serve(context, () => connack);
  const program = start("tbench", ["conn", ...at, "-n", "10", "--ramp", "0.05"]);
  while (broker.connections < 1) await sleep(20);
  await sleep(100);
  const interruptedAt = performance.now();
  program.child.kill("SIGINT");
  assert.equal((await program.ended).code, 0);
  assert.ok(performance.now() - interruptedAt < 5000);
});

test("a publisher that was lost is not waited for", async (context) => {
  const { at } = await serve(context, (received) =>
    received.type === packetType.publish && received.connection === 2 ? "close" : swallow(received),
  );
  const load = ["-n", "2", "--rate", "100", "--messages", "50", "-W", "5"];
  const ended = await runInMemory(run, ["pub", ...at, ...load, "--json"]);
  const { ended: reason, connections } = JSON.parse(ended.stdout) as Results;
  assert.deepEqual([reason, connections.lost, ended.code], ["all done", 1, 1]);
  assert.match(ended.stderr, /^tbench pub: 1 connection lost: /);
});

test("a run in which nothing moves any more ends, also at a rate", async (context) => {
  const { at } = await serve(context, swallow);
  const load = ["-n", "1", "-q", "1", "-M", "10", "--messages", "1000", "-W", "20", "--json"];
  const runs = [[], ["--rate", "1000"]].map((rate) =>
    runInMemory(run, ["pub", ...at, ...load, ...rate]),
  );
  for (const { code, stdout, stderr } of await Promise.all(runs)) {
    const { ended: reason, sent } = JSON.parse(stdout) as Results;
    assert.deepEqual([reason, sent?.messages, code], ["stalled", 10, 1]);
    assert.match(stderr, /nothing moved any more.*; 10 messages not acknowledged\n$/);
  }
});

test("a rate of QoS 0 is over the time until the last message was sent", async (context) => {
  const { at } = await serve(context, swallow);
  const load = ["-n", "1", "--rate", "1000", "--messages", "5", "--json"];
  let least = 1;
  for (let round = 0; round < 5; round += 1) {
    const { stdout } = await runInMemory(run, ["pub", ...at, ...load]);
    const { seconds = 1, sent } = JSON.parse(stdout) as Results;
    assert.equal(sent?.messages, 5);
    least = Math.min(least, seconds);
  }
  // The run notices after 50 ms that all were sent; on a busy machine one round of five is in time.
  assert.ok(least >= 0.004 && least < 0.045, `${least}`);
});

test("rates are over the time that was asked for, also if nothing comes at the end of it", async (context) => {
  const { at } = await serve(context, swallow);
  const ended = await runInMemory(run, ["fan", ...at, "--rate", "50", "--seconds", "1", "--json"]);
  const { seconds = 0, sent, received } = JSON.parse(ended.stdout) as Results;
  assert.ok(seconds > 0.95 && seconds < 1.5, `${seconds}`);
  assert.ok((sent?.messagesPerSecond ?? 0) > 30, `${sent?.messagesPerSecond}`);
  assert.deepEqual([received?.messages, ended.code], [0, 0]);
});
