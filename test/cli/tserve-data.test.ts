/** The folder of tserve: what is kept over its end, what it says of it, and a start that the folder does not allow. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import mqtt from "mqtt";
import { Inbox } from "../interop/inbox.ts";
import { mountSmallDisk, remount } from "../storage/sqlite-folder.ts";
import { runServe, ServeProcess } from "./tserve-process.ts";

const place = mkdtempSync(path.join(tmpdir(), "tserve-data-"));
after(() => rmSync(place, { recursive: true }));

async function expectRefusal(data: string, line: RegExp): Promise<void> {
  const args = ["--listen", "mqtt://127.0.0.1:0", "--data", data, "--durability", "fsync"];
  const { code, stdout, stderr } = await runServe(args);
  assert.match(stderr, line);
  assert.match(stderr, /^tserve: [^\n]+\n$/, "one line");
  assert.deepEqual([code, stdout], [1, ""]);
}

test("tserve says where it keeps what, and what a power cut can cost", async () => {
  const data = path.join(place, "said");
  for (const [durability, text] of [
    ["fsync", "what is acknowledged is on disk, and survives a power cut (durability fsync)"],
    ["os", "a power cut can cost the last seconds (durability os)"],
  ] as const) {
    const args = ["--durability", durability, "--log-format", "json"];
    const server = await ServeProcess.start({ data, args });
    const { stdout } = await server.stop();
    const records = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const kept = records.find((record) => record.durability !== undefined);
    assert.deepEqual([kept.durability, kept.data], [durability, data]);
    assert.ok(kept.msg.startsWith(`what is kept: ${data}: `) && kept.msg.endsWith(text), kept.msg);
  }
});

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  test(`tserve: sessions, queues and retained messages are there again after ${signal}`, async () => {
    const data = path.join(place, signal);
    const first = await ServeProcess.start({ data });
    const lasting = { clientId: "lasting", clean: false, reconnectPeriod: 0 };
    const reader = await mqtt.connectAsync(`mqtt://127.0.0.1:${first.port}`, lasting);
    await reader.subscribeAsync("a/#", { qos: 2 });
    await reader.endAsync();
    const writer = await mqtt.connectAsync(`mqtt://127.0.0.1:${first.port}`, {
      reconnectPeriod: 0,
    });
    for (const [index, qos] of ([1, 2, 1] as const).entries()) {
      await writer.publishAsync(`a/${index}`, `m${index}`, { qos, retain: true });
    }
    first.running.child.kill(signal);
    await first.running.ended;
    writer.end(true);

    const second = await ServeProcess.start({ data });
    try {
      const again = mqtt.connect(`mqtt://127.0.0.1:${second.port}`, lasting);
      const inbox = new Inbox(again);
      await inbox.waitFor(3);
      assert.deepEqual(inbox.texts.toSorted(), ["m0", "m1", "m2"]);
      const late = await mqtt.connectAsync(`mqtt://127.0.0.1:${second.port}`);
      const retained = new Inbox(late);
      await late.subscribeAsync("a/#", { qos: 1 });
      await retained.waitFor(3);
      assert.ok(retained.messages.every(({ packet }) => packet.retain));
      await Promise.all([again.endAsync(), late.endAsync()]);
    } finally {
      await second.stop();
    }
  });
}

test("tserve: a folder that another holds, that is a file, or that a newer tStack wrote", async () => {
  const data = path.join(place, "held");
  const server = await ServeProcess.start({ data });
  await expectRefusal(data, /held is in use by tserve \d+\.\d+\.\d+, process \d+ since .*--data/);
  await server.stop();

  const database = new DatabaseSync(path.join(data, "tstack.db"));
  database.exec("pragma user_version = 99");
  database.close();
  await expectRefusal(data, /version 99/);

  const file = path.join(place, "file");
  writeFileSync(file, "");
  await expectRefusal(path.join(file, "x"), /file is no folder: name one with --data/);
  await expectRefusal(file, /file is no folder: name one with --data/);
});

test("tserve: folders that the system does not let anybody make, or put files into", async () => {
  await expectRefusal("/proc/tstack", /\/proc\/tstack cannot be used \(.*\): choose another/);
  await expectRefusal("/proc", /^tserve: (?!.*(disk that holds|vanished)).*\/proc/);
});

test("tserve: a read-only disk", async (context) => {
  const disk = mountSmallDisk(context, 1);
  if (typeof disk !== "string") return context.skip(disk.why);
  remount(disk, "ro");
  await expectRefusal(path.join(disk, "data"), /may not be written \(.*read-only.*--data/);
  remount(disk, "rw");
});

test("tserve --check-config makes no folder", async () => {
  const data = path.join(place, "unmade");
  const { code } = await runServe(["--check-config", "--data", data, "--durability", "fsync"]);
  assert.deepEqual([code, existsSync(data)], [0, false]);
});

test("tserve keeps nothing in memory's name", async () => {
  const data = path.join(place, "unused");
  const server = await ServeProcess.start({ args: ["--data", data] });
  await server.stop();
  assert.equal(existsSync(data), false);
  assert.deepEqual(readdirSync(place).includes("unused"), false);
});
