/** Debian's mosquitto_pub, mosquitto_sub and mosquitto_rr against tserve, in the three versions. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { withoutMosquittoClients as skip } from "../cli/tserve-process.ts";
import { type BrokerProcess, withKeepingBroker } from "./broker-process.ts";
import { countTo } from "./inbox.ts";
import {
  debugLog,
  expectContent,
  linesOf,
  publish,
  run,
  start,
  subscribe,
  waitForLog,
} from "./mosquitto-programs.ts";

const everyQoS = [0, 1, 2];
const versions = ["31", "311", "5"];

for (const version of versions) {
  const title = `mosquitto's clients -V ${version}`;
  const withVersion = (use: (broker: BrokerProcess, v: string) => Promise<void>) => () =>
    withKeepingBroker((broker) => use(broker, `-V ${version}`), debugLog);

  test(`${title}: each QoS to each QoS`, { skip }, withVersion(passEveryQoS));
  test(`${title}: 10,000 lines, a QoS each`, { skip }, withVersion(passLines));
  test(`${title}: 900 kB`, { skip }, withVersion(passLarge));
  test(`${title}: retained messages`, { skip }, withVersion(retain));
  test(`${title}: a will`, { skip }, withVersion(leaveWill));
  test(`${title}: a session kept by -c -i`, { skip }, withVersion(keepSession));
  test(`${title}: a shared subscription`, { skip }, withVersion(share));
}

async function passEveryQoS(broker: BrokerProcess, v: string): Promise<void> {
  const subscribers = await Promise.all(
    everyQoS.map((granted) =>
      subscribe(broker, `s${granted}`, `${v} -q ${granted} -t q/+/# -C 30 -F %t,%q,%r,%p`),
    ),
  );
  const lines = countTo(10);
  for (const qos of everyQoS) {
    await publish(broker, `${v} -q ${qos} -t q/${qos} -l`, { stdin: `${lines.join("\n")}\n` });
  }
  for (const granted of everyQoS) {
    const got = linesOf(await expectContent(subscribers[granted]));
    const expected = everyQoS.flatMap((qos) =>
      lines.map((line) => `q/${qos},${Math.min(qos, granted)},0,${line}`),
    );
    // Each publisher was answered before the next; QoS 0 may overtake what waits for a PUBCOMP.
    for (const qos of everyQoS) {
      const ofTopic = (line: string): boolean => line.startsWith(`q/${qos},`);
      assert.deepEqual(got.filter(ofTopic), expected.filter(ofTopic));
    }
    assert.equal(got.length, expected.length);
  }
}

async function passLines(broker: BrokerProcess, v: string): Promise<void> {
  const lines = countTo(10_000, "line ");
  const stdin = `${lines.join("\n")}\n`;
  const names = everyQoS.map((qos) => `many${qos}`);
  const subscribers = await Promise.all(
    everyQoS.map((qos) => subscribe(broker, names[qos], `${v} -q ${qos} -t many/${qos} -C 10000`)),
  );
  await Promise.all(
    everyQoS.map((qos) => publish(broker, `${v} -q ${qos} -t many/${qos} -l`, { stdin })),
  );
  for (const subscriber of subscribers) {
    assert.deepEqual(linesOf(await expectContent(subscriber)), lines);
  }
}

async function passLarge(broker: BrokerProcess, v: string): Promise<void> {
  const payload = randomBytes(900_000);
  const file = path.join(broker.folder, "payload");
  writeFileSync(file, payload);
  for (const qos of everyQoS) {
    const subscriber = await subscribe(broker, `large${qos}`, `${v} -q ${qos} -t large -N -C 1`);
    await publish(broker, `${v} -q ${qos} -t large -r -f ${file}`);
    await expectContent(subscriber);
    assert.ok(subscriber.bytes.equals(payload));
    const late = start(broker, "mosquitto_sub", `${v} -q ${qos} -t large -N -C 1`);
    await expectContent(late);
    assert.ok(late.bytes.equals(payload));
  }
}

async function retain(broker: BrokerProcess, v: string): Promise<void> {
  for (const qos of everyQoS) {
    await publish(broker, `${v} -r -q ${qos} -t kept/${qos} -m old`);
    await publish(broker, `${v} -r -q ${qos} -t kept/${qos} -m new`);
  }
  const kept = await run(broker, "mosquitto_sub", `${v} -q 2 -t kept/# -C 3 -F %t,%q,%r,%p`);
  assert.deepEqual(linesOf(kept).sort(), ["kept/0,0,1,new", "kept/1,1,1,new", "kept/2,2,1,new"]);
  // --retained-only ends at the first live message.
  const only = await subscribe(broker, "only", `${v} -q 1 -t kept/# --retained-only -v`);
  const fresh = await subscribe(broker, "fresh", `${v} -q 1 -t kept/# -R -C 1 -v`);
  await publish(broker, `${v} -q 1 -t kept/live -m live`);
  assert.equal(linesOf(await expectContent(only)).length, 3);
  assert.deepEqual(linesOf(await expectContent(fresh)), ["kept/live live"]);
  const remover = await subscribe(broker, "remover", `${v} -t kept/# --remove-retained -v`);
  for (const qos of everyQoS) await remover.saw(`kept/${qos} new\n`, "stdout");
  remover.child.kill("SIGINT");
  await remover.ended;
  const late = await subscribe(broker, "late", `${v} -t kept/# -C 1 -v`);
  await publish(broker, `${v} -q 1 -t kept/1 -m again`);
  assert.deepEqual(linesOf(await expectContent(late)), ["kept/1 again"]);
}

async function leaveWill(broker: BrokerProcess, v: string): Promise<void> {
  const watcher = await subscribe(broker, "watcher", `${v} -q 2 -t will/# -C 4 -F %t,%q,%r,%p`);
  for (const qos of everyQoS) {
    const will = `--will-topic will/${qos} --will-payload gone --will-qos ${qos} --will-retain`;
    const lost = await subscribe(broker, `lost${qos}`, `${v} -t x ${will}`);
    lost.child.kill("SIGKILL");
    await waitForLog(broker, `"client":"lost${qos}"`, "disconnected by client");
  }
  // mosquitto_sub says DISCONNECT when it is asked to end: in 5.0 with code 4, which keeps the will.
  const polite = await subscribe(
    broker,
    "polite",
    `${v} -t x --will-topic will/p --will-payload left --will-qos 2`,
  );
  polite.child.kill("SIGINT");
  await polite.ended;
  // QoS 2 like the will before it: mosquitto_sub prints those at PUBREL, and others may overtake them.
  await publish(broker, `${v} -q 2 -t will/end -m end`);
  const expected = everyQoS.map((qos) => `will/${qos},${qos},0,gone`);
  const last = v === "-V 5" ? "will/p,2,0,left" : "will/end,2,0,end";
  assert.deepEqual(linesOf(await expectContent(watcher)), [...expected, last]);
  const kept = await run(broker, "mosquitto_sub", `${v} -q 2 -t will/# -C 3 -F %t,%q,%r,%p`);
  assert.deepEqual(
    linesOf(kept).sort(),
    everyQoS.map((qos) => `will/${qos},${qos},1,gone`),
  );
}

async function keepSession(broker: BrokerProcess, v: string): Promise<void> {
  const session = `${v} -c -i kept -q 2`;
  await run(broker, "mosquitto_sub", `${session} -t away/# -E`);
  const lines = countTo(1000);
  const stdin = `${lines.join("\n")}\n`;
  for (const qos of [2, 1]) await publish(broker, `${v} -q ${qos} -t away/${qos} -l`, { stdin });
  await publish(broker, `${v} -q 0 -t away/0 -m no`);
  await publish(broker, `${v} -q 1 -t elsewhere -m no`);
  const got = linesOf(await run(broker, "mosquitto_sub", `${session} -t other -C 2000 -F %t,%p`));
  // QoS 1 may overtake QoS 2, which mosquitto_sub prints after two more packets.
  for (const qos of [1, 2]) {
    const ofTopic = got.filter((line) => line.startsWith(`away/${qos},`));
    assert.deepEqual(
      ofTopic,
      lines.map((line) => `away/${qos},${line}`),
    );
  }
  // Without -c the session ends; what comes now is for nobody.
  await run(broker, "mosquitto_sub", `${v} -i kept -t other -E`);
  await publish(broker, `${v} -q 1 -t away/1 -m no`);
  const fresh = await subscribe(broker, "kept", `${v} -q 1 -t fresh -C 1`);
  await publish(broker, `${v} -q 1 -t fresh -m yes`);
  assert.deepEqual(linesOf(await expectContent(fresh)), ["yes"]);
}

async function share(broker: BrokerProcess, v: string): Promise<void> {
  const members = await Promise.all(
    ["one", "two", "three"].map((name) =>
      subscribe(broker, name, `${v} -q 1 -t $share/group/work -t ${name}`),
    ),
  );
  const lines = countTo(900);
  await publish(broker, `${v} -q 1 -t work -l`, { stdin: `${lines.join("\n")}\n` });
  for (const name of ["one", "two", "three"]) {
    await publish(broker, `${v} -q 1 -t ${name} -m end`);
  }
  await Promise.all(members.map((member) => member.saw("end\n", "stdout")));
  for (const member of members) member.child.kill("SIGINT");
  const ended = await Promise.all(members.map((member) => member.ended));
  const got = ended.map((each) => linesOf(each).filter((line) => line !== "end"));
  assert.deepEqual(
    got.flat().sort((a, b) => Number(a) - Number(b)),
    lines,
  );
  for (const share of got) {
    // With 5.0 mosquitto_sub takes 20 at a time: who is slow gets fewer.
    assert.ok(share.length >= (v === "-V 5" ? 20 : 300), `${share.length} of 900`);
    const numbers = share.map(Number);
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
    );
  }
}
