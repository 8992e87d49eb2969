/** Backups of a tserve that is published to meanwhile: what was acknowledged before one began is in it. */
import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { after, test } from "node:test";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { Inbox } from "../interop/inbox.ts";
import { StoreFolder } from "./store-folder.ts";
import { ServeProcess } from "./tserve-process.ts";

const place = new StoreFolder();
after(() => place.remove());

const offline = { clientId: "offline", clean: false, protocolVersion: 4 } as const;
const lasting = {
  clientId: "lasting",
  clean: false,
  protocolVersion: 5,
  properties: { sessionExpiryInterval: 3600 },
} as const;

function connect(server: ServeProcess, options: IClientOptions = {}): Promise<MqttClient> {
  const url = `mqtt://127.0.0.1:${server.port}`;
  return mqtt.connectAsync(url, { reconnectPeriod: 0, ...options });
}

/** Publishes without a pause; `acknowledged` holds the payloads, in order. */
class Load {
  readonly acknowledged: number[] = [];
  readonly #client: MqttClient;
  #last = 0;
  #isStopped = false;
  readonly #workers: Promise<void>[];

  constructor(client: MqttClient) {
    this.#client = client;
    this.#workers = Array.from({ length: 20 }, () => this.#work());
  }

  async #work(): Promise<void> {
    while (!this.#isStopped) {
      const number = ++this.#last;
      const qos = number % 2 === 0 ? 1 : 2;
      await this.#client.publishAsync(`load/${qos}`, String(number), { qos, retain: true });
      this.acknowledged.push(number);
    }
  }

  async reach(count: number): Promise<void> {
    const target = this.acknowledged.length + count;
    while (this.acknowledged.length < target) await new Promise(setImmediate);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#workers);
  }
}

/** Everything that the session was owed. What ends it is of QoS 2, because MQTT.js keeps such a message until PUBREL. */
async function drain(server: ServeProcess, options: IClientOptions): Promise<number[]> {
  const url = `mqtt://127.0.0.1:${server.port}`;
  const client = mqtt.connect(url, { reconnectPeriod: 0, ...options });
  const inbox = new Inbox(client);
  await new Promise((resolve) => client.once("connect", resolve));
  const publisher = await connect(server);
  await publisher.publishAsync("load/end", "end", { qos: 2 });
  const messages = await inbox.takeUntil("end");
  await Promise.all([client.endAsync(), publisher.endAsync()]);
  return messages.slice(0, -1).map(({ payload }) => Number(payload.toString()));
}

test("a backup under load holds all that was acknowledged before it began, and restores it", async (context) => {
  const data = place.join("data");
  const server = await ServeProcess.start({ data });
  for (const options of [offline, lasting]) {
    const client = await connect(server, options);
    await client.subscribeAsync("load/#", { qos: 2 });
    await client.endAsync();
  }
  const publisher = await connect(server, { protocolVersion: 5 });
  const load = new Load(publisher);
  await load.reach(500);

  const file = place.join("backup.db");
  const owed = [...load.acknowledged];
  const said = await place.run("backup", file, "--data", data);
  const [, queued] =
    /: 2 sessions, 2 subscriptions, (\d+) queued messages, \d+ retained/.exec(said) ?? [];
  const during = load.acknowledged.length - owed.length;
  await load.reach(100);
  await load.stop();
  server.running.child.kill("SIGKILL");
  await server.running.ended;
  publisher.end(true);
  context.diagnostic(`${owed.length} before, ${during} meanwhile, ${queued} places in the backup`);
  assert.ok(Number(queued) >= owed.length * 2);
  assert.equal(statSync(file).mode & 0o077, 0, "for its owner alone");

  const restored = place.join("restored");
  await place.run("restore", file, "--data", restored);
  const again = await ServeProcess.start({ data: restored });
  try {
    for (const options of [offline, lasting]) {
      const numbers = await drain(again, options);
      const missing = new Set(owed).difference(new Set(numbers));
      assert.deepEqual([...missing], [], "acknowledged before the backup, and lost");
      const byQoS = [1, 0].map((rest) => numbers.filter((number) => number % 2 === rest));
      for (const inOrder of byQoS) {
        assert.deepEqual(
          inOrder,
          [...new Set(inOrder)].sort((one, other) => one - other),
        );
      }
    }
    const late = await connect(again);
    const inbox = new Inbox(late);
    await late.subscribeAsync("load/+");
    await inbox.waitFor(2);
    for (const { topic, payload } of inbox.messages) {
      const last = owed.findLast((number) => topic === `load/${number % 2 === 0 ? 1 : 2}`) ?? 0;
      assert.ok(
        Number(payload.toString()) >= last,
        `${topic}: ${payload}, and ${last} was acknowledged`,
      );
    }
    await late.endAsync();
  } finally {
    await again.stop();
  }
});

test("restore keeps what was there, under a name that it says", async () => {
  const data = place.join("twice");
  const server = await ServeProcess.start({ data });
  const client = await connect(server);
  await client.publishAsync("kept", "first", { qos: 1, retain: true });
  await place.run("backup", place.join("first.db"), "--data", data);
  await client.publishAsync("kept", "second", { qos: 1, retain: true });
  await client.publishAsync("more", "second", { qos: 1, retain: true });
  // Killed, so that the newest is only in the log beside the database.
  server.running.child.kill("SIGKILL");
  await server.running.ended;
  client.end(true);

  const said = await place.run("restore", place.join("first.db"), "--data", data);
  const [, aside] =
    /what was there before is in (\S+before-restore-\d{8}T\d{6}\.\d{3}Z)\n$/.exec(said) ?? [];
  assert.ok(aside !== undefined, said);
  assert.match((await place.exportFrom("--data", data)).join("\n"), /"payload":"first"/);
  const before = (await place.exportFrom("--from", aside)).join("\n");
  assert.match(before, /"topic":"kept".*"payload":"second"/);
  assert.match(before, /"topic":"more"/);

  // And that can be put back in turn.
  await place.run("restore", aside, "--data", data);
  assert.equal((await place.exportFrom("--data", data)).join("\n"), before);
  const names = readdirSync(data).filter((name) => /part|wal|shm/.test(name));
  assert.deepEqual(
    names.filter((name) => !name.includes("before-restore")),
    [],
  );
});
