/** Gap markers as people meet them: mosquitto's clients, a real tserve with users and rights, its folder and its restart. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { ServeProcess, withoutMosquittoClients as skip } from "../cli/tserve-process.ts";

const yaml = `limits:
  queueMessagesMax: 2
users:
  - name: ada
    password: lovelace
    rights: home/#
`;
const ada = ["-V", "5", "-u", "ada", "-P", "lovelace"];

function start(data: string): Promise<ServeProcess> {
  return ServeProcess.start({ data, yaml });
}

function makeFolder(context: TestContext): string {
  const data = mkdtempSync(path.join(tmpdir(), "gap-markers-"));
  context.after(() => rmSync(data, { recursive: true, force: true }));
  return data;
}

/** mosquitto_sub with a session that outlives it, subscribed to `filters` and to its gaps. */
async function listen(
  server: ServeProcess,
  name: string,
  filters: readonly string[],
  ...more: readonly string[]
): Promise<string[]> {
  const topics = [...filters, `$tstack/gap/${name}`].flatMap((filter) => ["-t", filter]);
  const session = ["-i", name, "-c", "-x", "600", "-q", "1", "-v", "-W", "20"];
  const { code, stdout, stderr } = await server.run(
    "mosquitto_sub",
    ...ada,
    ...session,
    ...topics,
    ...more,
  );
  assert.deepEqual([code, stderr], [0, ""]);
  return stdout.split("\n").slice(0, -1);
}

async function publish(server: ServeProcess, topic: string, ...payloads: string[]): Promise<void> {
  for (const payload of payloads) {
    const message = ["-q", "1", "-t", topic, "-m", payload];
    const { code, stderr } = await server.run("mosquitto_pub", ...ada, ...message);
    assert.deepEqual([code, stderr], [0, ""]);
  }
}

interface Marker {
  readonly firstAt: number;
  readonly lastAt: number;
}

/** What the line says beside the times, which lie between `from` and now. */
function readMarker(line: string, name: string, from: number): object {
  const topic = `$tstack/gap/${name} `;
  assert.ok(line.startsWith(topic), line);
  const { firstAt, lastAt, ...rest } = JSON.parse(line.slice(topic.length)) as Marker;
  assert.ok(from <= firstAt && firstAt <= lastAt && lastAt <= Date.now(), line);
  return rest;
}

const lost = (count: number) => {
  return { count, topics: ["home/lamp"], moreTopics: false, reason: "queueFull" };
};

test("mosquitto_sub is told what its full queue lost, ahead of the rest, whose rights name no $tstack", {
  skip,
}, async (context) => {
  const server = await start(makeFolder(context));
  context.after(() => server.stop());
  await listen(server, "lamp", ["home/lamp"], "-E");
  const from = Date.now();
  await publish(server, "home/lamp", "1", "2", "3", "4", "5");
  const [marker, ...rest] = await listen(server, "lamp", ["home/lamp"], "-C", "3");
  assert.deepEqual(readMarker(marker, "lamp", from), lost(3));
  assert.deepEqual(rest, ["home/lamp 1", "home/lamp 2"]);
});

test("after a restart a session is told of what it loses from then on; what it lost before is forgotten", {
  skip,
}, async (context) => {
  const data = makeFolder(context);
  const first = await start(data);
  await listen(first, "lamp", ["home/lamp"], "-E");
  await publish(first, "home/lamp", "1", "2", "3", "4", "5");
  await first.stop();
  const from = Date.now();
  const server = await start(data);
  context.after(() => server.stop());
  await publish(server, "home/lamp", "6");
  const [marker, ...rest] = await listen(server, "lamp", ["home/lamp"], "-C", "3");
  assert.deepEqual(readMarker(marker, "lamp", from), lost(1));
  assert.deepEqual(rest, ["home/lamp 1", "home/lamp 2"]);
});

test("what a shared subscription lost was nobody's: no member is told", {
  skip,
}, async (context) => {
  const server = await start(makeFolder(context));
  context.after(() => server.stop());
  await listen(server, "lamp", ["$share/lamps/home/lamp"], "-E");
  await publish(server, "home/lamp", "1", "2", "3", "4", "5");
  const lines = await listen(server, "lamp", ["$share/lamps/home/lamp"], "-C", "2");
  assert.deepEqual(lines, ["home/lamp 1", "home/lamp 2"]);
});

test("nobody may subscribe to the gaps of others, and nobody may publish any", {
  skip,
}, async (context) => {
  const server = await start(makeFolder(context));
  context.after(() => server.stop());
  const refused = await server.run(
    "mosquitto_sub",
    ...ada,
    "-i",
    "one",
    "-t",
    "$tstack/gap/lamp",
    "-E",
  );
  assert.match(refused.stderr, /All subscription requests were denied/);
  const forged = ["-i", "one", "-q", "1", "-t", "$tstack/gap/lamp", "-m", "{}"];
  const { stderr } = await server.run("mosquitto_pub", ...ada, ...forged);
  assert.match(stderr, /Not authorized/);
});
